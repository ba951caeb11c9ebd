"""The capture daemon under load: capture.* as JSON lines.

Stages and time outside the networks with one client, throughput against the networks' own time with all cores busy, what
happens at four times the load that it can carry, and whether its memory stays where it is. Clients and PostgreSQL share the
machine with the daemon: what they cost is in the figures.
"""
import collections
import itertools
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from rig import bank, pictures  # noqa: E402
from rig.client import Client, multipart  # noqa: E402
from rig.cluster import BASE, Cluster, Failed  # noqa: E402

QUICK = bool(os.environ.get("QUICK"))
CHANNEL = "bench"
CORES = os.cpu_count()
SUBJECTS = 24
WARM_UP = 30
ALONE = 200 if QUICK else 1000  # verifications by one client
BUSY_SECONDS = 15 if QUICK else 60
OVERLOAD = 4  # times the throughput
CALLERS = 56  # connections under overload; the daemon serves 64
REQUESTS = 1000 if QUICK else 10000  # over which memory is watched
NETWORK_STAGES = ("detect", "mesh", "expression", "feature", "liveness")


def say(text):
    print(text, file=sys.stderr, flush=True)


def nearest_rank(values, share):
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def mean(values):
    return sum(values) / len(values)


def report(metric, value, unit, target, n, note):
    print(json.dumps({"metric": f"capture.{metric}", "value": value, "unit": unit, "target": target, "n": n,
                      "note": f"{note}; {CORES} cores, load {os.getloadavg()[0]:.1f}{', QUICK' if QUICK else ''}"}),
          flush=True)


def processor_seconds(pid):
    """Of a process and the children that it has now, dead ones that it waited for included; 0 for one that is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
    except OSError:
        return 0
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_seconds(child) for child in children)


class Bench:
    def __init__(self, cluster, daemon, token):
        self.cluster, self.daemon, self.token = cluster, daemon, token
        self.requests = []  # (body, content type) of verifications that are accepted

    def client(self):
        return Client(self.daemon.url, self.token)

    def register(self):
        client, names = self.client(), pictures.all_portraits()
        for name in names:
            if len(self.requests) == SUBJECTS:
                break
            image = pictures.portrait(name)
            if client.register(name, image, channel=CHANNEL).status == 201:
                self.requests.append(multipart({"subject": name, "image": image, "channel": CHANNEL}))
        if not self.requests:
            raise Failed("nobody could be registered")
        say(f"registered {len(self.requests)} subjects")

    def verify(self, client, number):
        body, kind = self.requests[number % len(self.requests)]
        return client.request("POST", "/v1/verifications", body, {"Content-Type": kind})

    def accepted(self, client, number):
        reply = self.verify(client, number)
        if reply.decision != "accept":
            raise Failed(f"a verification was not accepted: {reply.status} {reply.body.decode()}")
        return reply

    def alone(self):
        """Stages in ms; returns the networks' ms a verification."""
        client = self.client()
        for number in range(WARM_UP):
            self.accepted(client, number)
        stages, whole, seen = collections.defaultdict(list), [], []
        for number in range(ALONE):
            reply = self.accepted(client, number)
            seen.append(reply.ms)
            whole.append(reply.json["elapsed_ms"])
            for name, value in re.findall(r"(\w+);dur=([0-9.]+)", reply.headers["Server-Timing"]):
                stages[name].append(float(value))
        networks = stages.pop("networks")
        for name, values in stages.items():
            report(f"stage_{name}_ms", round(nearest_rank(values, 50), 2), "ms", "", len(values),
                   f"one client, median; p99 {nearest_rank(values, 99):.2f} ms"
                   + ("; a network and what prepares its input" if name in NETWORK_STAGES else ""))
        named = sum(sum(values) for values in stages.values())
        report("networks_ms", round(mean(networks), 2), "ms", "", len(networks),
               f"inside the networks, mean; {mean(whole):.1f} ms the whole request, of which "
               f"{mean(whole) - named / len(whole):.1f} ms are in no stage")
        report("outside_networks_share", round(1 - sum(networks) / sum(whole), 4), "ratio", "<= 0.15", len(whole),
               "of the time from the first byte of a verification to its answer, decoding, quality and the database with its "
               "synchronous commit included")
        report("verify_p99_ms", round(nearest_rank(seen, 99), 1), "ms", "<= 400", len(seen),
               f"one client, as the client sees it; median {nearest_rank(seen, 50):.1f} ms")
        return mean(networks)

    def run_clients(self, count, work):
        """work(client) in so many threads; the first failure of any ends the run."""
        failures = []

        def run():
            try:
                work(self.client())
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def processor_use(self):
        """Processor seconds so far, by who used them."""
        with open(os.path.join(self.cluster.data, "postmaster.pid")) as file:
            postmaster = int(file.readline())
        return {"daemon": processor_seconds(self.daemon.process.pid), "database": processor_seconds(postmaster),
                "clients": time.process_time()}

    def throughput(self, networks_ms):
        used = self.processor_use()
        numbers, done, end = itertools.count(), [], time.monotonic() + BUSY_SECONDS

        def work(client):
            while time.monotonic() < end:
                self.accepted(client, next(numbers))
                done.append(time.monotonic())

        began = time.monotonic()
        self.run_clients(2 * CORES, work)
        rate = len(done) / (max(done) - began)
        report("throughput_share", round(rate * networks_ms / 1000 / CORES, 4), "ratio", ">= 0.85", len(done),
               f"{rate:.2f} verifications a second, by {2 * CORES} clients, times {networks_ms:.1f} ms inside the networks, "
               f"over {CORES} cores")
        # What the machine does besides slows the throughput, but hardly changes these.
        for who, seconds in self.processor_use().items():
            report(f"processor_{who}_ms", round(1000 * (seconds - used[who]) / len(done), 2), "ms", "", len(done),
                   "processor time of a verification while all cores are busy")
        return rate

    def overload(self, rate):
        """Calls are due at four times the throughput, whether or not those before are answered."""
        wanted = OVERLOAD * rate
        numbers, statuses, late = itertools.count(), collections.Counter(), []
        times, began = [], time.monotonic()

        def work(client):
            while True:
                number = next(numbers)
                due = began + number / wanted
                if due > began + BUSY_SECONDS:
                    return
                time.sleep(max(0, due - time.monotonic()))
                late.append(time.monotonic() - due)
                try:
                    reply = self.verify(client, number)
                    good = reply.status == 200 and reply.decision == "accept"
                    told = reply.status == 503 and reply.code == "BUSY" and "Retry-After" in reply.headers
                    statuses["accepted" if good else "503" if told else f"{reply.status} {reply.code}"] += 1
                    if good:
                        times.append(reply.ms)
                except OSError as error:
                    client.close()
                    statuses[type(error).__name__] += 1

        self.run_clients(CALLERS, work)
        seconds = time.monotonic() - began
        failures = sum(count for status, count in statuses.items() if status not in ("accepted", "503"))
        asked = sum(statuses.values())
        report("overload_failures", failures, "count", "<= 0", asked,
               f"{asked / seconds:.0f} calls a second for {seconds:.0f} s, {asked / seconds / rate:.1f} times the throughput: "
               f"{dict(statuses)}; p99 of the accepted {nearest_rank(times, 99):.0f} ms; calls began up to {max(late):.1f} s late")

    def resident_mb(self):
        text = self.daemon.get_admin("/metrics")[1]
        return float(re.search(r"^process_resident_memory_bytes (\S+)$", text, re.M)[1]) / 1e6

    def memory(self):
        """After the other parts: whatever load had to come has come."""
        numbers, samples, lock = itertools.count(), [], threading.Lock()
        step = REQUESTS // 20

        def work(client):
            while (number := next(numbers)) < REQUESTS:
                self.accepted(client, number)
                if number % step == 0:
                    with lock:
                        samples.append(self.resident_mb())

        self.run_clients(2 * CORES, work)
        first, last = sorted(samples[:3])[1], sorted(samples[-3:])[1]
        report("rss_growth_mb", round(last - first, 1), "MB", "<= 8", REQUESTS,
               f"median of the last three samples of 20, less that of the first three: {first:.1f} and {last:.1f} MB; "
               f"most {max(samples):.1f} MB")

    def run(self):
        self.register()
        networks_ms = self.alone()
        rate = self.throughput(networks_ms)
        self.overload(rate)
        self.memory()


def main():
    if not os.path.isdir(pictures.PORTRAITS) or not os.path.exists(os.path.join(BASE, "models/sface.onnx")):
        say("skipped: no models or portraits; run make setup")
        return 0
    try:
        with Cluster(prefix="pg_visage_bench.") as cluster:
            source_key = bank.install(cluster)
            bank.make_channel(cluster, CHANNEL)
            token, callers = bank.make_token(cluster)
            with bank.make_daemon(cluster, source_key, callers, server_timing=True) as daemon:
                daemon.wait_ready()
                Bench(cluster, daemon, token).run()
    except Failed as error:
        say(f"bench-capture: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
