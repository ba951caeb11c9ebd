"""A private server with people, sealed probes and as many events as wanted, and pgbench against it."""
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from rig.cluster import Cluster, Failed  # noqa: E402

SUBJECTS = 1000
REJECT_EVERY = 10  # one probe in so many is of somebody else
BLOCK = 50000      # probes that are sealed at a time
MAX_RATE = 50000   # verdicts a second that a run's supply of probes is meant for

# A checkpoint or a plan compiled in the middle of one side's round would be measured as that side's.
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "16GB", "checkpoint_timeout": "1h", "fsync": "on", "jit": "off",
            "track_wal_io_timing": "on", "max_connections": "60", "visage.probe_max_age": "86400",
            "visage.max_probes": "4194304"}

# Limits that are counted and never reached: a bank's would stop made-up people after a handful of failures.
PEOPLE = f"""
CREATE EXTENSION pg_visage CASCADE;
SELECT visage.add_capture_source('bench') IS NOT NULL;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bench', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  VALUES ('bench/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
UPDATE visage.attempt_limit SET free_failures = 1000000000, first_delay = '1 second', max_delay = '1 second',
  hard_stop = 1000000000, period_failures = 1000000000, period = '1 day';
CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL, feature real[] NOT NULL);
INSERT INTO person SELECT p, 's' || p, array_agg((random() - 0.5)::real)
  FROM generate_series(0, {SUBJECTS} - 1) p, generate_series(1, 128) GROUP BY p;
CREATE FUNCTION seal(feature real[]) RETURNS visage.probe LANGUAGE sql VOLATILE AS
  $$ SELECT visage.seal_probe($1, 'bench/1', source => 'bench', lifetime => '1 day') $$;
CREATE TABLE probes (id bigint PRIMARY KEY, subject text NOT NULL, probe visage.probe NOT NULL);
"""
# The first of these opens the ledger, and adopts whatever events there are.
REGISTER = """
SET visage.audit_timeout = '1h';
SELECT visage.register(name, seal(feature), 'bench') FROM person WHERE id = 0;
"""
REGISTER_REST = """
SELECT count(*) FROM (SELECT visage.register(name, seal(feature), 'bench') FROM person WHERE id > 0 OFFSET 0) r;
"""

# Events as the writer's, dated before anything that memory would have to know of, and valid: their leaves are right.
LOAD = """
SET synchronous_commit = off;
INSERT INTO visage.event
SELECT e.seq, e.at, e.operation, e.transaction_id, e.caller, e.institution, e.subject, e.channel, e.scenario,
       e.decision, e.reason, e.target_fmr, e.model, e.policy_version, e.source, e.probe, e.reference, e.address,
       e.device, e.biz_id, e.elapsed_us, e.xid, e.settles, e.object, e.before, e.after, e.note, e.detail,
       e.session, e.request, sha256('\\x00'::bytea || visage.leaf_of(ROW(e.*)::visage.event)), e.head
FROM (
  SELECT i AS seq, t.at, 'verify'::visage.operation AS operation,
         -- In the order of time, as the product makes them.
         (lpad(to_hex((extract(epoch FROM t.at) * 1000)::bigint), 12, '0') || '7' || substr(t.noise, 1, 3) || '8'
          || substr(t.noise, 4, 15))::uuid AS transaction_id,
         'teller'::text AS caller, 1 AS institution,
         md5('subject ' || (hashint8(i) & 2147483647) %% %(subjects)s)::uuid AS subject,
         'bench'::text AS channel, 'default'::text AS scenario,
         (CASE i %% 10 WHEN 0 THEN 'reject' ELSE 'accept' END)::visage.decision AS decision,
         (CASE i %% 10 WHEN 0 THEN 'NO_MATCH' ELSE 'OK' END)::visage.reason AS reason,
         1e-5::float8 AS target_fmr, 'bench/1'::text AS model, 4 AS policy_version,
         '7e57ab1e-0000-4000-8000-000000000001'::uuid AS source, t.noise::uuid AS probe,
         NULL::uuid AS reference, NULL::bytea AS address, NULL::bytea AS device, NULL::text AS biz_id,
         300 + i %% 100 AS elapsed_us, NULL::xid8 AS xid, NULL::bigint AS settles, NULL::text AS object,
         NULL::bytea AS before, NULL::bytea AS after, NULL::text AS note, NULL::bytea AS detail,
         NULL::uuid AS session, NULL::bytea AS request,
         NULL::bytea AS leaf, NULL::bytea AS head
  FROM generate_series(%(first)s::bigint, %(last)s) i,
       LATERAL (SELECT timestamptz '2020-01-01' + i * interval '1 day' / 100000 AS at, md5('probe ' || i) AS noise) t
  OFFSET 0) e;
"""


def say(text):
    print(f"audit: {text}", file=sys.stderr, flush=True)


class Run:
    """What one run of pgbench did."""

    def __init__(self, rate, latencies, most):
        self.rate = rate            # transactions a second
        self.latencies = latencies  # microseconds, one a transaction
        self.most = most            # transactions of the busiest client


class Server(Cluster):
    def __init__(self, **settings):
        super().__init__({**SETTINGS, **settings}, prefix="pg_visage_bench.")
        self.used = self.sealed = 0
        self.adopted_in = None
        self.scripts = tempfile.TemporaryDirectory(prefix="pg_visage_bench.")

    def prepare(self, events=0):
        """People with references, behind so many events."""
        self.psql(PEOPLE)
        if events > 0:
            say(f"loading {events} events")
            began = time.monotonic()
            for first in range(0, events, 1000000):
                last = min(first + 1000000, events) - 1
                self.psql(LOAD % {"first": first, "last": last, "subjects": max(1, events // 100)})
            self.psql("VACUUM (ANALYZE) visage.event; CHECKPOINT;")
            say(f"loaded in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        self.psql(REGISTER)
        self.adopted_in = time.monotonic() - began
        self.psql(REGISTER_REST)

    def seal_probes(self, count):
        while self.sealed - self.used < count:
            self.psql(f"""
              INSERT INTO probes SELECT i, p.name, seal(q.feature)
                FROM generate_series({self.sealed}, {self.sealed + BLOCK - 1}) i
                JOIN person p ON p.id = i % {SUBJECTS}
                JOIN person q ON q.id = (p.id + (i / {SUBJECTS} % {REJECT_EVERY} = 0)::int) % {SUBJECTS};""")
            if self.sealed == 0:
                self.psql("VACUUM ANALYZE;")
            self.sealed += BLOCK

    def pgbench(self, script, clients, seconds, **variables):
        path = os.path.join(self.scripts.name, "script.sql")
        with open(path, "w") as file:
            file.write(script)
        for old in glob.glob(os.path.join(self.scripts.name, "log.*")):
            os.remove(old)
        defines = [f"-D{name}={value}" for name, value in {"clients": clients, **variables}.items()]
        done = subprocess.run(
            [os.path.join(self.bindir, "pgbench"), "-n", "-M", "prepared", "-f", path, "-c", str(clients),
             "-j", str(min(clients, os.cpu_count() or 1)), "-T", str(seconds), "--log",
             "--log-prefix", os.path.join(self.scripts.name, "log"), *defines, self.conninfo()],
            text=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        rate = re.search(r"^tps = ([0-9.]+)", done.stdout, re.M)
        if done.returncode != 0 or rate is None:
            raise Failed(f"pgbench failed:\n{done.stdout}{done.stderr}")
        latencies, most = [], 0
        for log in glob.glob(os.path.join(self.scripts.name, "log.*")):
            with open(log) as file:
                for line in file:
                    words = line.split()
                    latencies.append(int(words[2]))
                    most = max(most, int(words[1]))
        return Run(float(rate.group(1)), latencies, most)

    def row(self, sql):
        return [int(float(value)) for value in self.value(sql).split("|")]

    def verify(self, script, clients, seconds):
        """Runs a script of verifications, with probes that nobody used."""
        self.seal_probes(MAX_RATE * seconds + clients)
        run = self.run_verifications(script, clients, seconds, self.used)
        self.used += (run.most + 2) * clients
        return run

    def run_verifications(self, script, clients, seconds, base):
        """Every one of them must have given a verdict that is in the ledger."""
        before = self.row("SELECT events, failed FROM visage.audit_status")
        run = self.pgbench(script, clients, seconds, n=-1, base=base)
        recorded, compared = self.row(
            "SELECT count(*), count(*) FILTER (WHERE decision <> 'refuse') FROM visage.event "
            f"WHERE seq >= {before[0]} AND operation = 'verify'")
        failed = self.row("SELECT failed FROM visage.audit_status")[0] - before[1]
        if not len(run.latencies) == recorded == compared or failed:
            raise Failed(f"{len(run.latencies)} calls, {recorded} events, {compared} verdicts, {failed} not recorded")
        return run
