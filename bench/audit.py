"""What a verdict with its durable record costs, against an INSERT; and what the ledger costs as it grows.

pgbench, the compared scripts alternating on one server with fsync on; medians of the rounds' ratios. JSON lines on
stdout. QUICK=1 shows that it runs and nothing else; EVENTS is the size of the largest ledger.
"""
import contextlib
import json
import os
import statistics
import sys

import audit_server
from audit_server import Failed, Server, say

QUICK = os.environ.get("QUICK", "") not in ("", "0")
EVENTS = 20000 if QUICK else int(os.environ.get("EVENTS", "1000000"))
# Long rounds: each begins with new connections, whose first calls fill what later ones find in memory.
ROUNDS, SECONDS = (1, 1) if QUICK else (5, 6)
CLIENTS = {1: ">= 0.6", 8: ">= 1.0", 32: ">= 1.0"}

# Each client counts for itself, so no probe is asked about twice and no sequence writes a record of its own.
VERIFY = """
\\set n :n + 1
\\set id :base + :n * :clients + :client_id
SELECT (visage.verify(p.subject, p.probe, 'bench')).decision FROM probes p WHERE p.id = :id;
"""
# Somebody else's face, every time.
REJECT = """
\\set n :n + 1
\\set id :base + :n * :clients + :client_id
SELECT (visage.verify('s' || (p.id + 7) % 1000, p.probe, 'bench')).decision FROM probes p WHERE p.id = :id;
"""
# An ordinary row: its primary key and as many bytes as an event has.
INSERT = """
INSERT INTO ordinary (payload) VALUES (:payload::bytea);
"""
# The same row found in a table, as the probe is that a verification is asked about.
INSERT_FOUND = f"""
\\set id random(0, {audit_server.BLOCK} - 1)
INSERT INTO ordinary (payload) SELECT g.payload FROM given g WHERE g.id = :id;
"""
# The same row by a caller that ends its transaction itself.
INSERT_COMMIT = f"""
BEGIN;
{INSERT.strip()}
COMMIT;
"""
# A verdict recorded by the caller's own INSERT, with less to do than any verification: no policy, no replay memory, no
# attempt limits, no tree; its indexes are those of a table of events.
SCORE_INSERT = f"""
\\set id random(0, {audit_server.BLOCK} - 1)
INSERT INTO recorded (subject, channel, decision, model, policy_version, elapsed_us, payload)
  SELECT s.id, 'bench', CASE WHEN visage.score(r.reference, p.probe) >= 0.5 THEN 'accept' ELSE 'reject' END, r.model, 1,
         300, :payload::bytea
  FROM probes p JOIN visage.subject s ON s.institution = 1 AND s.external_id = p.subject
    JOIN visage.subject_reference r ON r.subject = s.id WHERE p.id = :id;
"""
TABLES = """
CREATE TABLE ordinary (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), payload bytea);
CREATE TABLE given (id bigint PRIMARY KEY, payload bytea NOT NULL);
CREATE TABLE recorded (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
  transaction_id uuid NOT NULL DEFAULT gen_random_uuid(), subject uuid, channel text, decision text, model text,
  policy_version integer, elapsed_us bigint, payload bytea);
CREATE INDEX ON recorded (transaction_id);
CREATE INDEX ON recorded USING brin (at);
"""
SYNCS = "SELECT wal_sync FROM pg_stat_wal"
SIZES = ("SELECT pg_table_size('visage.event'), pg_indexes_size('visage.event'), "
         "pg_total_relation_size('visage.tree_node'), events FROM visage.audit_status")


def metric(name, value, unit, target, n, note):
    print(json.dumps({"metric": f"audit.{name}", "value": float(f"{value:.4g}"), "unit": unit, "target": target, "n": n,
                      "note": note}), flush=True)
    print(f"  {name:34} {value:12.4g} {unit:14} {target:8} {note}", file=sys.stderr, flush=True)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


class Side:
    """One of the compared scripts: what its rounds gave."""

    def __init__(self):
        self.rates, self.latencies, self.syncs = [], [], []

    def add(self, run, syncs):
        self.rates.append(run.rate)
        self.latencies += run.latencies
        self.syncs.append(syncs / len(run.latencies))

    def rate(self):
        return statistics.median(self.rates)

    def ms(self, share):
        return percentile(self.latencies, share) / 1000

    def over(self, other):
        return statistics.median(a / b for a, b in zip(self.rates, other.rates))


def syncs_of(server):
    # Backends report when they end, the writer a second after it reported last.
    server.psql("SELECT pg_sleep(1.3)")
    return int(server.value(SYNCS))


def alternate(server, clients, scripts):
    sides = {name: Side() for name in scripts}
    for turn in range(ROUNDS):
        for name in list(scripts) if turn % 2 == 0 else reversed(list(scripts)):
            before = syncs_of(server)
            run = scripts[name](clients)
            sides[name].add(run, syncs_of(server) - before)
    for name, side in sides.items():
        say(f"{clients:2} clients, {name:13} {side.rate():8.0f}/s, p50 {side.ms(50):7.2f} ms, "
            f"p99 {side.ms(99):7.2f} ms, {statistics.median(side.syncs):.3f} syncs each; "
            f"rounds {' '.join(f'{rate:.0f}' for rate in side.rates)}")
    return sides


def measure_verdicts(server):
    server.psql(TABLES)
    say("warming up")
    server.verify(VERIFY, 8, 1)
    width = int(server.value("SELECT avg(pg_column_size(e.*))::int FROM visage.event e WHERE operation = 'verify'"))
    # What the other columns and the row's header take of it.
    payload = {"ordinary": "\\x" + "a5" * (width - 40), "recorded": "\\x" + "a5" * max(8, width - 130)}
    server.psql(f"INSERT INTO given SELECT i, '{payload['ordinary']}' FROM generate_series(0, {audit_server.BLOCK} - 1) i; "
                "VACUUM ANALYZE given;")
    scripts = {
        "verify": lambda c: server.verify(VERIFY, c, SECONDS),
        "insert": lambda c: server.pgbench(INSERT, c, SECONDS, payload=payload["ordinary"]),
        "insert+commit": lambda c: server.pgbench(INSERT_COMMIT, c, SECONDS, payload=payload["ordinary"]),
        "insert found": lambda c: server.pgbench(INSERT_FOUND, c, SECONDS),
        "score+insert": lambda c: server.pgbench(SCORE_INSERT, c, SECONDS, payload=payload["recorded"]),
    }
    server.psql("CHECKPOINT")
    for clients, target in CLIENTS.items():
        sizes = server.row(SIZES)
        if clients == 32:
            scripts["reject"] = lambda c: server.verify(REJECT, c, SECONDS)
        sides = alternate(server, clients, scripts)
        grown = [after - before for after, before in zip(server.row(SIZES), sizes)]
        verify, insert = sides["verify"], sides["insert"]
        n = len(verify.latencies)
        metric(f"verify_vs_insert_c{clients}", verify.over(insert), "ratio", target, n,
               f"{verify.rate():.0f} verdicts/s, {insert.rate():.0f} rows of {width} bytes/s; "
               f"{ROUNDS} rounds of {SECONDS} s, one verdict in {audit_server.REJECT_EVERY} a rejection")
        metric(f"verify_vs_insert_commit_c{clients}", verify.over(sides["insert+commit"]), "ratio", target, n,
               f"{sides['insert+commit'].rate():.0f} rows/s, each with BEGIN and COMMIT of its own")
        metric(f"verify_vs_insert_found_c{clients}", verify.over(sides["insert found"]), "ratio", "", n,
               f"{sides['insert found'].rate():.0f} rows/s, each looked up in a table as the probe is")
        metric(f"verify_vs_score_insert_c{clients}", verify.over(sides["score+insert"]), "ratio", "", n,
               f"{sides['score+insert'].rate():.0f}/s: visage.score and a plain INSERT in one statement, without "
               "policy, replay memory, limits and tree")
        for share in (50, 99):
            metric(f"verify_p{share}_ms_c{clients}", verify.ms(share), "ms", "", n, f"INSERT {insert.ms(share):.2f} ms")
        metric(f"fsyncs_per_verdict_c{clients}", statistics.median(verify.syncs), "fsyncs", "", n,
               f"INSERT {statistics.median(insert.syncs):.3f} a row; pg_stat_wal.wal_sync")
        metric(f"bytes_per_event_c{clients}", sum(grown[:3]) / grown[3], "bytes", "", grown[3],
               "table {:.0f}, indexes {:.0f}, nodes {:.2f}".format(*(part / grown[3] for part in grown[:3])))
        if clients == 32:
            metric("reject_vs_insert_c32", sides["reject"].over(insert), "ratio", "", len(sides["reject"].latencies),
                   f"{sides['reject'].rate():.0f} verdicts/s, every one a rejection that two counters store")


# Milliseconds of one statement, inside the server.
MEASURE = """
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION pg_temp.ms(statement text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  began timestamptz := clock_timestamp();
BEGIN
  EXECUTE statement;
  RETURN extract(epoch FROM clock_timestamp() - began) * 1e3;
END $$;
"""
VERIFY_LEDGER = "SELECT count(*) FROM visage.verify_ledger()"
SHA256 = {"text": "SELECT count(sha256(convert_to(e::text, 'UTF8'))) FROM visage.event e",
          "leaf": "SELECT count(sha256('\\x00'::bytea || visage.leaf_of(e))) FROM visage.event e"}


def measure_verification(server):
    faults = server.value(VERIFY_LEDGER)
    if faults != "0":
        raise Failed(f"the ledger has {faults} faults: {server.value('SELECT * FROM visage.verify_ledger() LIMIT 3')}")
    events = int(server.value("SELECT count(*) FROM visage.event"))
    rounds = 1 if QUICK else 3
    statements = {"verify": VERIFY_LEDGER, **SHA256}
    queries = "".join(f"SELECT '{name}', pg_temp.ms($q${sql}$q$);\n"
                      for _ in range(rounds) for name, sql in statements.items())
    times = {name: [] for name in statements}
    for line in server.psql(MEASURE + queries, "-A", "-t").split():
        name, value = line.split("|")
        times[name].append(float(value))
    for form, target in (("text", "<= 1.5"), ("leaf", "")):
        metric("ledger_verify_vs_sha256" + ("" if form == "text" else "_of_leaf"),
               statistics.median(a / b for a, b in zip(times["verify"], times[form])), "ratio", target, events,
               f"time of verify_ledger() over {SHA256[form]}: {statistics.median(times[form]):.0f} ms")
    metric("ledger_verify_events_per_s", events / statistics.median(times["verify"]) * 1000, "events/s", "", events,
           "one core, ledger in memory")


def label(events):
    for size, letter in ((1000000, "m"), (1000, "k")):
        if events >= size and events % size == 0:
            return f"{events // size}{letter}"
    return str(events)


def measure_growth(servers):
    clients = 8
    sides = {events: Side() for events in servers}
    for server in servers.values():
        server.verify(VERIFY, clients, 1)
        server.psql("CHECKPOINT")
    for turn in range(ROUNDS * 2):
        for events in list(servers) if turn % 2 == 0 else reversed(list(servers)):
            sides[events].add(servers[events].verify(VERIFY, clients, SECONDS), 0)
    least = min(sides)
    for events, side in sides.items():
        say(f"{clients} clients behind {events} events: {side.rate():.0f}/s, p50 {side.ms(50):.2f} ms, "
            f"p99 {side.ms(99):.2f} ms")
        if events != least:
            metric(f"verdict_cost_{label(events)}_vs_{label(least)}", sides[least].over(side), "ratio", "<= 1.1",
                   len(side.latencies), f"time a verdict, {clients} clients; {side.rate():.0f}/s and "
                   f"{sides[least].rate():.0f}/s, {ROUNDS * 2} rounds")


def measure_history(server, events):
    calls = 3 if QUICK else 20
    server.psql("INSERT INTO visage.subject (id, institution, external_id) "
                f"SELECT md5('subject ' || i)::uuid, 1, 'loaded ' || i FROM generate_series(0, {calls - 1}) i")
    queries = "".join(f"SELECT pg_temp.ms($q$SELECT count(*) FROM visage.history_of('loaded {i}')$q$);\n"
                      for i in range(calls))
    times = [float(line) for line in server.psql(MEASURE + queries, "-A", "-t").split()]
    found = int(server.value("SELECT count(*) FROM visage.history_of('loaded 0')"))
    metric(f"history_of_ms_{label(events)}", statistics.median(times), "ms", "", calls,
           f"about {found} events each; slowest {max(times):.0f} ms, the first {times[0]:.0f} ms")


def main():
    with Server() as server:
        server.prepare()
        measure_verdicts(server)
    sizes = [1000] + [size for size in (1000000, 10000000) if size < EVENTS] + [EVENTS]
    with contextlib.ExitStack() as stack:
        servers = {events: stack.enter_context(Server()) for events in sizes}
        for events, server in servers.items():
            server.prepare(events)
            if events > 1000:
                metric(f"adopt_events_per_s_{label(events)}", events / server.adopted_in, "events/s", "", events,
                       f"{server.adopted_in:.1f} s: events without a ledger become its first; the first caller waits")
        measure_growth(servers)
        for events in sizes[1:]:
            measure_history(servers[events], events)
        measure_verification(servers[sizes[1]])
    return 0


try:
    sys.exit(main())
except Failed as failure:
    sys.exit(f"audit: {failure}")
