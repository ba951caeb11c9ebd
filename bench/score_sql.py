"""What a comparison costs in SQL, against pgcrypto's decrypt of the same features, in one session on one core.

Alternating rounds over 100,000 rows each; medians, and medians of the rounds' ratios. JSON lines on stdout.
"""
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from rig.cluster import Cluster, Failed  # noqa: E402

ROWS = int(os.environ.get("ROWS", "100000"))
ROUNDS = 7
VERIFICATIONS = 20000

SETUP = f"""
CREATE EXTENSION pg_visage CASCADE;
SELECT visage.add_capture_source('bench') IS NOT NULL;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bench', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  VALUES ('bench/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
CREATE FUNCTION feature() RETURNS real[] LANGUAGE sql VOLATILE AS
  $$ SELECT array_agg((random() - 0.5)::real) FROM generate_series(1, 128) $$;
CREATE FUNCTION probe() RETURNS visage.probe LANGUAGE sql VOLATILE AS
  $$ SELECT visage.seal_probe(feature(), 'bench/1', source => 'bench', lifetime => '1 hour') $$;
SELECT count(*) FROM (SELECT visage.register('s' || i, probe(), 'bench') FROM generate_series(1, {ROWS}) i OFFSET 0) s;
CREATE TABLE refs AS SELECT reference FROM visage.references_for_calibration();
CREATE TABLE shuffled AS SELECT reference FROM refs ORDER BY random();
-- As a table is made by default, 512 floats go to TOAST and are fetched from there; "inline" keeps them in the row.
CREATE TABLE sealed_128 (c bytea);
CREATE TABLE sealed_512 (c bytea);
CREATE TABLE sealed_512_inline (c bytea);
ALTER TABLE sealed_512_inline ALTER c SET STORAGE PLAIN;
INSERT INTO sealed_128 SELECT encrypt(gen_random_bytes(512), '0123456789abcdef', 'aes') FROM generate_series(1, {ROWS});
INSERT INTO sealed_512 SELECT encrypt(gen_random_bytes(1024) || gen_random_bytes(1024), '0123456789abcdef', 'aes')
  FROM generate_series(1, {ROWS});
INSERT INTO sealed_512_inline SELECT c FROM sealed_512;
CREATE TABLE probes AS SELECT probe() AS probe FROM generate_series(1, {VERIFICATIONS});
VACUUM ANALYZE;
"""

# Microseconds a row of one statement, measured inside the server.
MEASURE = """
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE FUNCTION pg_temp.us_per_row(statement text, n bigint, memory text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  began timestamptz;
  counted text;
BEGIN
  PERFORM set_config('work_mem', memory, true);
  began := clock_timestamp();
  EXECUTE statement INTO counted;
  IF counted !~ format('^%s$|rows=%s[ .]', n, n) THEN RAISE EXCEPTION 'counted % of %', counted, n; END IF;
  RETURN extract(epoch FROM clock_timestamp() - began) * 1e6 / n;
END $$;
"""

PROBE = "(SELECT probe AS p FROM probes LIMIT 1) q"
DEFAULT_MEMORY, ROOM_FOR_ALL = "4MB", "64MB"  # all keys in a hash take 14 MB
# Name, work_mem, statement.
STATEMENTS = [
    ("score", DEFAULT_MEMORY, f"SELECT count(visage.score(reference, p)) FROM refs, {PROBE}"),
    ("decrypt_512", DEFAULT_MEMORY, "SELECT count(decrypt(c, '0123456789abcdef', 'aes')) FROM sealed_512"),
    ("decrypt_512_inline", DEFAULT_MEMORY,
     "SELECT count(decrypt(c, '0123456789abcdef', 'aes')) FROM sealed_512_inline"),
    ("decrypt_128", DEFAULT_MEMORY, "SELECT count(decrypt(c, '0123456789abcdef', 'aes')) FROM sealed_128"),
    ("explain", DEFAULT_MEMORY, f"EXPLAIN (ANALYZE) SELECT visage.score(reference, p) FROM refs, {PROBE}"),
    ("shuffled", ROOM_FOR_ALL, f"SELECT count(visage.score(reference, p)) FROM shuffled, {PROBE}"),
    ("shuffled_by_index", DEFAULT_MEMORY, f"SELECT count(visage.score(reference, p)) FROM shuffled, {PROBE}"),
]
VERIFY = ("SELECT count((visage.verify('s' || i, probe, 'bench')).decision) "
          "FROM (SELECT probe, row_number() OVER () AS i FROM probes OFFSET 0) p")

# A call returns when its record is durable, so the time until the decision is taken from the records.
DECIDED = """
SELECT 'verify', percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM elapsed) * 1e6)
FROM visage.history WHERE operation = 'verify';
"""


def metric(name, value, unit, target, n, note):
    print(json.dumps({"metric": name, "value": round(value, 3), "unit": unit, "target": target, "n": n, "note": note}),
          flush=True)


def main():
    settings = {"shared_buffers": "512MB", "visage.probe_max_age": "3600", "visage.max_probes": str(4 * ROWS),
                "fsync": "off", "autovacuum": "off"}
    with Cluster(settings, prefix="pg_visage_bench.") as cluster:
        print(f"score: registering {ROWS} subjects", file=sys.stderr)
        cluster.psql(SETUP)
        queries = "".join(f"SELECT '{name}', pg_temp.us_per_row($q${sql}$q$, {ROWS}, '{memory}');\n"
                          for _ in range(ROUNDS + 1) for name, memory, sql in STATEMENTS)
        queries += f"SELECT 'recorded', pg_temp.us_per_row($q${VERIFY}$q$, {VERIFICATIONS}, '{DEFAULT_MEMORY}');\n"
        queries += DECIDED
        print(f"score: {ROUNDS} rounds", file=sys.stderr)
        lines = [line.split("|") for line in cluster.psql(MEASURE + queries, "-A", "-t").split() if "|" in line]
    times = {}
    for name, value in lines:
        times.setdefault(name, []).append(float(value))
    verify, recorded = times.pop("verify")[0], times.pop("recorded")[0]
    times = {name: values[1:] for name, values in times.items()}  # the first round warms up
    note = f"{ROUNDS} alternating rounds over {ROWS} rows, one core; " + ", ".join(
        f"{name} {statistics.median(values):.2f} us" for name, values in times.items())
    metric("score.sql_us", statistics.median(times["score"]), "us", "", ROWS, note)
    for name, what in (("explain", "the whole of EXPLAIN (ANALYZE) of the same scan"),
                       ("shuffled", f"references in random order, work_mem {ROOM_FOR_ALL}"),
                       ("shuffled_by_index",
                        f"references in random order, work_mem {DEFAULT_MEMORY}: no room for all keys")):
        metric(f"score.sql_{name}_us", statistics.median(times[name]), "us", "", ROWS, what)
    for size, target in (("512", "<= 1.0"), ("512_inline", ""), ("128", "<= 1.5")):
        ratio = statistics.median(a / b for a, b in zip(times["score"], times[f"decrypt_{size}"]))
        metric(f"score.sql_vs_pgcrypto_{size}", ratio, "ratio", target, ROWS, note)
    metric("score.sql_verify_us", verify, "us", "", VERIFICATIONS,
           "visage.verify until the decision, median: policy, probe, replay memory, attempt limits, comparison")
    metric("score.sql_verify_recorded_us", recorded, "us", "", VERIFICATIONS,
           "the whole call, one client: also the wait for the audit writer, with fsync off")


try:
    main()
except Failed as failure:
    sys.exit(f"score: {failure}")
