"""What rules and deny-lists add to a verification.

pgbench on one server with fsync on, the compared sides alternating; medians of the rounds' ratios. JSON lines on stdout.
QUICK=1 shows that it runs and nothing else; SUBJECTS is the number of people.
"""
import json
import os
import statistics
import sys

import audit_server
from audit_server import BLOCK, REJECT_EVERY, Failed, Server

QUICK = os.environ.get("QUICK", "") not in ("", "0")
SUBJECTS = 2000 if QUICK else int(os.environ.get("SUBJECTS", "100000"))
ROUNDS, SECONDS = (1, 1) if QUICK else (15, 2)
CLIENTS = (1, 8)
FACES = audit_server.SUBJECTS  # so many different ones; every subject has a key and a reference of its own
RANGES = 1000

CONTEXTS = f"""
CREATE TABLE contexts (id integer PRIMARY KEY, context jsonb NOT NULL);
INSERT INTO contexts SELECT i, jsonb_build_object(
    'address', '10.' || i / 65536 || '.' || i / 256 % 256 || '.' || i % 256, 'device', 'phone-' || i, 'country', 'CN',
    'place', 'city-' || i % 300, 'mac', '02:00:00:' || to_hex(16 + i / 65536) || ':' || to_hex(16 + i / 256 % 240) || ':' || to_hex(16 + i % 240),
    'latitude', 31 + (i % 50) / 10.0, 'longitude', 121 - (i % 70) / 10.0, 'time_zone', 'Asia/Shanghai')
  FROM generate_series(0, {SUBJECTS} - 1) i;
ALTER TABLE probes ADD context jsonb NOT NULL;
CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY (MINVALUE 0) PRIMARY KEY, subject text NOT NULL,
  probe visage.probe NOT NULL, context jsonb NOT NULL);
INSERT INTO visage.session_policy (institution, lifetime) VALUES (1, '1 day') ON CONFLICT (institution) DO UPDATE SET lifetime = '1 day';
"""
# As many ranges as asked for, half of them IPv6, none of them anybody's here.
LISTS = f"""
INSERT INTO visage.deny_list (institution, kind, address, why)
  SELECT 1, 'address', CASE i % 2 WHEN 0 THEN set_masklen(inet '172.16.0.0' + i::bigint * 512, 24)
    ELSE set_masklen(inet '2001:db8::' + (i::bigint << 40), 88) END, 'bench' FROM generate_series(1, {RANGES}) i;
"""
# Twenty rules, of which none fires but the last: all are asked.
STATELESS = """
INSERT INTO visage.risk_rule (institution, name, signal, action, factors, addresses, names, macs, from_time, until_time, weekdays, time_zone, outside)
  SELECT 1, 'rule ' || i, (ARRAY['address', 'country', 'place', 'hours', 'device', 'mac'])[1 + i % 6]::visage.risk_signal,
         (ARRAY['deny', 'require_factors'])[1 + i % 2]::visage.risk_action, CASE i % 2 WHEN 1 THEN 1 END,
         CASE i % 6 WHEN 0 THEN ARRAY['198.51.100.0/24', '2001:db8:ffff::/48']::inet[] END,
         CASE i % 6 WHEN 1 THEN '{AQ,BV,TF}'::text[] WHEN 2 THEN ARRAY['nowhere', 'elsewhere'] WHEN 4 THEN ARRAY['lost-1', 'lost-2'] END,
         CASE i % 6 WHEN 5 THEN '{08:00:2b:01:02:03}'::macaddr[] END,
         CASE i % 6 WHEN 3 THEN time '00:00' END, CASE i % 6 WHEN 3 THEN time '00:00' END, NULL,
         CASE i % 6 WHEN 3 THEN 'Europe/Berlin' END, i % 6 = 3
  FROM generate_series(1, 15) i;
"""
LOOKING_BACK = """
INSERT INTO visage.risk_rule (institution, name, priority, signal, action, factors, at_least, period) VALUES
  (1, 'failures', 101, 'failures', 'deny', NULL, 200, '1 minute'), (1, 'speed', 102, 'speed', 'require_factors', 1, 100000, '1 day'),
  (1, 'device', 103, 'new_device', 'deny', NULL, 200, '90 days'), (1, 'distance', 104, 'distance', 'deny', NULL, 15000, '90 days'),
  (1, 'busy', 105, 'attempts', 'require_face', NULL, 2, '1 hour');
"""
MORE_STATELESS = """
INSERT INTO visage.risk_rule (institution, name, priority, signal, action)
  SELECT 1, 'more ' || i, 101, 'always', 'require_face' FROM generate_series(1, 5) i;
"""
CLEAR = "DELETE FROM visage.risk_rule; DELETE FROM visage.deny_list;"
# All sides read the row of one call, which holds the context whether or not it is handed over: what a call is given is
# the caller's to find.
BARE = """
\\set n :n + 1
\\set id :base + :n * :clients + :client_id
SELECT (visage.verify(p.subject, p.probe, 'bench')).decision FROM probes p WHERE p.id = :id;
"""
WITH_CONTEXT = BARE.replace("'bench')", "'bench', context => p.context)")
WITH_SESSION = WITH_CONTEXT.replace("FROM probes", "FROM visits")
# A session for each call, opened beforehand; its probe carries the session's nonce.
OPEN = f"""
\\set who random(0, {SUBJECTS} - 1)
\\set other random(1, {REJECT_EVERY})
INSERT INTO visits (subject, probe, context)
  SELECT c.subject, visage.seal_probe(q.feature, 'bench/1', source => 'bench', lifetime => '1 day', session_nonce => o.nonce),
         c.context || jsonb_build_object('session', o.session)
  FROM (SELECT 's' || id AS subject, context FROM contexts WHERE id = :who) c
    JOIN person q ON q.id = (:who + (:other = 1)::int) % {FACES}
    CROSS JOIN LATERAL visage.open_session(c.subject, 'verify', 'default', 'bench', c.context) o;
"""
POLICIES = {
    "bare": ("", BARE),
    "context": ("", WITH_CONTEXT),
    "stateless": (LISTS + STATELESS + MORE_STATELESS, WITH_CONTEXT),
    "policy": (LISTS + STATELESS + LOOKING_BACK, WITH_CONTEXT),
    "session": (LISTS + STATELESS + LOOKING_BACK, WITH_SESSION),
}
OPENERS = 16


def say(text):
    print(f"flows: {text}", file=sys.stderr, flush=True)


def metric(name, value, unit, target, n, note):
    print(json.dumps({"metric": f"flows.{name}", "value": float(f"{value:.4g}"), "unit": unit, "target": target, "n": n,
                      "note": note}), flush=True)
    print(f"  {name:34} {value:12.4g} {unit:14} {target:8} {note}", file=sys.stderr, flush=True)


class People(Server):
    """So many subjects with one of the faces each."""

    def prepare(self, events=0):
        super().prepare()
        say(f"registering {SUBJECTS} subjects")
        step = 5000
        for first in range(FACES, SUBJECTS, step):
            self.psql(f"SELECT count(*) FROM (SELECT visage.register('s' || i, seal(p.feature), 'bench') "
                      f"FROM generate_series({first}, {min(first + step, SUBJECTS) - 1}) i "
                      f"JOIN person p ON p.id = i % {FACES} OFFSET 0) r")
        self.psql(CONTEXTS + "VACUUM ANALYZE;")
        self.visited = self.visits = 0
        if self.row("SELECT count(*) FROM visage.subject") != [SUBJECTS]:
            raise Failed("not everybody was registered")

    def seal_probes(self, count):
        while self.sealed - self.used < count:
            self.psql(f"""
              INSERT INTO probes (id, subject, probe, context) SELECT i, 's' || i % {SUBJECTS}, seal(q.feature), c.context
                FROM generate_series({self.sealed}, {self.sealed + BLOCK - 1}) i
                JOIN contexts c ON c.id = i % {SUBJECTS}
                JOIN person q ON q.id = (i % {SUBJECTS} + (i / {FACES} % {REJECT_EVERY} = 0)::int) % {FACES};""")
            if self.sealed == 0:
                self.psql("VACUUM ANALYZE probes;")
            self.sealed += BLOCK

    def open_visits(self, count):
        while self.visits - self.visited < count:
            self.pgbench(OPEN, OPENERS, 1 if QUICK else 5)
            self.visits = self.row("SELECT count(*) FROM visits")[0]
            self.psql("VACUUM ANALYZE visits;")

    def under(self, policy, clients):
        rules, script = POLICIES[policy]
        if script == WITH_SESSION:
            self.psql(CLEAR)
            self.open_visits(audit_server.MAX_RATE * SECONDS + clients)
        self.psql(CLEAR + rules)
        # What preparing wrote is on disk before the clock runs: the flushes of verdicts would wait for it.
        os.sync()
        if script != WITH_SESSION:
            return self.verify(script, clients, SECONDS)
        run = self.run_verifications(script, clients, SECONDS, self.visited)
        self.visited += (run.most + 2) * clients
        return run


def main():
    audit_server.MAX_RATE = 20000
    with People() as server:
        server.prepare()
        for policy in POLICIES:
            server.under(policy, max(CLIENTS))
        for clients in CLIENTS:
            rates = {policy: [] for policy in POLICIES}
            calls = {policy: 0 for policy in POLICIES}
            for turn in range(ROUNDS):
                for policy in list(POLICIES) if turn % 2 == 0 else reversed(list(POLICIES)):
                    run = server.under(policy, clients)
                    rates[policy].append(run.rate)
                    calls[policy] += len(run.latencies)
            for policy, values in rates.items():
                say(f"{clients} clients, {policy:10} {statistics.median(values):7.0f}/s; rounds " + " ".join(f"{v:.0f}" for v in values))
            for policy, name in (("session", "policy_vs_bare_verify"), ("policy", "policy_sessionless_vs_bare_verify"), ("stateless", "policy_stateless_vs_bare_verify"),
                                 ("context", "context_vs_bare_verify")):
                ratio = statistics.median(bare / other for bare, other in zip(rates["bare"], rates[policy]))
                metric(name + (f"_c{clients}" if clients != max(CLIENTS) else ""), ratio, "ratio",
                       "<= 1.3" if policy == "session" else "", calls[policy],
                       f"{clients} clients, {SUBJECTS} subjects: {statistics.median(rates[policy]):.0f}/s, bare "
                       f"{statistics.median(rates['bare']):.0f}/s")
        fired = server.row("SELECT count(*) FILTER (WHERE note LIKE 'risk%'), count(*) FROM visage.event WHERE operation = 'verify'")
        say(f"rules fired in {fired[0]} of {fired[1]} calls; {server.value('SELECT count(*) FROM visage.sighting')} sightings")
        if fired[0] == 0:
            raise Failed("no rule ever fired: nothing was measured")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"flows: {failure}")
