"""Warm latency over HTTP, one client: http.verify_p99_ms and http.register_p99_ms, as JSON lines.

The whole way: upload, decode, detector, mesh, feature, seal, SQL with a synchronous commit, answer. The standard allows
2000 ms for a verification and 3000 ms for a registration (7.2); the targets here are the product's own.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from rig import bank, pictures  # noqa: E402
from rig.client import Client  # noqa: E402
from rig.cluster import BASE, Cluster, Failed  # noqa: E402

CHANNEL = "bench"
WARM_UP = 20
ROUNDS = 2  # of all portraits
TARGETS = {"verify": "<= 400", "register": "<= 800"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def nearest_rank(values, share):
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def report(name, values):
    say(f"{name}: n {len(values)}, median {nearest_rank(values, 50):.1f} ms, p99 {nearest_rank(values, 99):.1f} ms, "
        f"worst {max(values):.1f} ms")
    print(json.dumps({
        "metric": f"http.{name}_p99_ms", "value": round(nearest_rank(values, 99), 1), "unit": "ms",
        "target": TARGETS[name], "n": len(values),
        "note": f"one client, warm, 512x512 JPEG, plain HTTP on loopback, synchronous commit; "
                f"median {nearest_rank(values, 50):.1f} ms; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"}),
        flush=True)


def measure(client):
    names = pictures.all_portraits()
    subjects = [(f"{turn}-{name}", pictures.portrait(name)) for turn in range(ROUNDS) for name in names]
    registered, verified, refused = [], [], []
    say(f"warming up: {WARM_UP} calls")
    for _, image in subjects[:WARM_UP]:
        client.verify("nobody", image, channel=CHANNEL)
    say(f"registering {len(subjects)} subjects")
    for subject, image in subjects:
        reply = client.register(subject, image, channel=CHANNEL)
        (registered if reply.status == 201 else refused).append((subject, image, reply))
    if not registered:
        raise Failed(f"nothing was registered: {refused[0][2].body.decode()}")
    if refused:
        say(f"{len(refused)} were not registered and do not count: {sorted({r.code for _, _, r in refused})}")
    say(f"verifying {len(registered)} subjects")
    for subject, image, _ in registered:
        reply = client.verify(subject, image, channel=CHANNEL)
        if reply.decision != "accept":
            raise Failed(f"{subject} was not accepted with the picture it is registered with: {reply.body.decode()}")
        verified.append(reply.ms)
    report("verify", verified)
    report("register", [reply.ms for _, _, reply in registered])


def main():
    if not os.path.isdir(pictures.PORTRAITS) or not os.path.exists(os.path.join(BASE, "models/sface.onnx")):
        say("skipped: no models or portraits; run make setup")
        return 0
    try:
        with Cluster(prefix="pg_visage_bench.") as cluster:
            source_key = bank.install(cluster)
            bank.make_channel(cluster, CHANNEL)
            token, callers = bank.make_token(cluster)
            with bank.make_daemon(cluster, source_key, callers) as daemon:
                daemon.wait_ready()
                measure(Client(daemon.url, token))
    except Failed as error:
        say(f"bench-http: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
