"""What the keeper does in a second while the system serves: subjects erased, keys and references brought under a new root.

A private server with fsync on; pgbench verifies all the time, before and while the keeper works. JSON lines on stdout.
"""
import json
import os
import secrets
import statistics
import sys
import threading
import time

from audit_server import Failed, Server

QUICK = os.environ.get("QUICK", "") not in ("", "0")
SUBJECTS = 2000 if QUICK else int(os.environ.get("SUBJECTS", "100000"))
ERASED = max(1, SUBJECTS // 10)
CLIENTS, SECONDS = 4, 2 if QUICK else 5
PROBES = 12000 * (SECONDS + (3 if QUICK else 25))  # enough for the longest round of the keeper

REGISTER = """
\\set n :n + 1
\\set id 1000 + :n * :clients + :client_id
SELECT (visage.register('s' || :id, seal(array_agg((random() - 0.5)::real)), 'bench')).decision FROM generate_series(1, 128);
"""
VERIFY = """
\\set n :n + 1
\\set id :base + :n * :clients + :client_id
SELECT (visage.verify(p.subject, p.probe, 'bench')).decision FROM probes p WHERE p.id = :id;
"""


def say(text):
    print(f"flows: {text}", file=sys.stderr, flush=True)


def metric(name, value, unit, n, note):
    print(json.dumps({"metric": f"flows.{name}", "value": float(f"{value:.4g}"), "unit": unit, "target": None, "n": n,
                      "note": note}), flush=True)
    say(f"{name:24} {value:12.4g} {unit:14} {note}")


class Load(threading.Thread):
    """Verifications until somebody says stop, in rounds; each must be a verdict that is in the ledger."""

    def __init__(self, server):
        super().__init__()
        self.server, self.over, self.runs, self.failure = server, threading.Event(), [], None

    def run(self):
        try:
            while not self.over.is_set():
                run = self.server.pgbench(VERIFY, CLIENTS, 1, n=-1, base=self.server.used)
                self.server.used += (run.most + 2) * CLIENTS
                if self.server.used > self.server.sealed:
                    raise Failed("the probes ran out: calls without one verify nobody")
                self.runs.append(run)
        except Failed as failure:
            self.failure = failure

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        if self.failure:
            raise self.failure

    def rate(self):
        return statistics.median(run.rate for run in self.runs)

    def p99(self):
        times = sorted(time for run in self.runs for time in run.latencies)
        return times[len(times) * 99 // 100] / 1000


def keeper_on(server, on):
    server.psql(f"ALTER SYSTEM SET visage.keeper = {'on' if on else 'off'}; SELECT pg_reload_conf();")


def time_round(server):
    """Seconds of the keeper's next whole round."""
    before = int(server.value("SELECT rounds FROM visage.keeper"))
    keeper_on(server, True)
    while int(server.value("SELECT rounds FROM visage.keeper")) == before:
        time.sleep(0.05)
    took = float(server.value("SELECT extract(epoch FROM ended - began) FROM visage.keeper"))
    fault = server.value("SELECT fault FROM visage.keeper")
    keeper_on(server, False)
    if fault:
        raise Failed(f"the keeper failed: {fault}")
    return took


def working(server, name, count, check):
    """Times a round of the keeper beside verifications, which were timed before."""
    server.seal_probes(PROBES)
    with Load(server) as alone:
        time.sleep(SECONDS)
    with Load(server) as beside:
        took = time_round(server)
    left = server.value(check)
    if left != "0":
        raise Failed(f"{name}: {left} rows are left")
    metric(name, count / took, "subjects/s", count,
           f"{took:.2f} s beside {CLIENTS} clients that verify: {beside.rate():.0f}/s, p99 {beside.p99():.1f} ms; "
           f"{alone.rate():.0f}/s, p99 {alone.p99():.1f} ms without the keeper")


def main():
    with Server(**{"visage.keeper": "off", "visage.keeper_interval": "3600"}) as server:
        server.prepare()
        say(f"registering {SUBJECTS} subjects")
        missing = SUBJECTS
        while missing > 0:
            run = server.pgbench(REGISTER, 8, 5 if not QUICK else 1, n=(SUBJECTS - missing) // 8)
            missing -= (run.most + 1) * 8
            server.psql("VACUUM ANALYZE visage.subject;")
        subjects = int(server.value("SELECT count(*) FROM visage.subject"))
        server.seal_probes(PROBES)
        server.psql("VACUUM ANALYZE; CHECKPOINT;")

        # People of the load are young; who is to go is as old as the rule says.
        server.psql(f"""UPDATE visage.subject SET registered_at = now() - interval '4 years'
                          WHERE id IN (SELECT id FROM visage.subject WHERE external_id ~ '^s[0-9]{{4,}}$' LIMIT {ERASED});
                        INSERT INTO visage.retention (institution, since, keep) VALUES (1, 'registration', '3 years');""")
        working(server, "erase_per_s", ERASED, f"SELECT count(*) - {subjects - ERASED} FROM visage.subject")
        server.psql("DELETE FROM visage.retention; VACUUM ANALYZE;")

        subjects -= ERASED
        path = os.path.join(server.stage, "envelope.keys")
        with open(path) as file:
            first = file.read()
        server.write_private("envelope.keys", f"{first}2 {secrets.token_hex(32)}\n")
        if server.value("SELECT visage.reload_keys()") != "1":
            raise Failed("the new root was not loaded")
        working(server, "rewrap_per_s", subjects,
                "SELECT sum(subject_keys + subject_references) FROM visage.keys WHERE custody = 'envelope' AND version = 1")
        faults = server.value("SELECT count(*) FROM visage.integrity()")
        if faults != "0":
            raise Failed(f"{faults} faults: {server.value('SELECT * FROM visage.integrity() LIMIT 3')}")
    return 0


try:
    sys.exit(main())
except Failed as failure:
    sys.exit(f"flows: {failure}")
