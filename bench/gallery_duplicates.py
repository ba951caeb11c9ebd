"""What a gallery saves a registration that looks for its person under other names. JSON lines on stdout.

The same people searched with their codes and then, the gallery closed, without; of the backend's own time, so that
neither the disk nor other work on the machine counts.
"""
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from rig.cluster import Cluster, Failed  # noqa: E402

ROWS = int(os.environ.get("ROWS", "10000"))
ROUNDS = 15

SETUP = f"""
CREATE EXTENSION pg_visage CASCADE;
SELECT visage.add_capture_source('bench') IS NOT NULL;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bench', 1e-5);
-- A made-up calibration that reaches as far as the search asks. Strangers score about 0 here, so none is found.
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  VALUES ('bench/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01'), ('bench/1', 'RFR-1/1024', 1e-9, 0.55, 'made up', '2026-01-01');
CREATE FUNCTION probe() RETURNS visage.probe LANGUAGE sql VOLATILE AS
  $$ SELECT visage.seal_probe((SELECT array_agg((random() + random() - 1)::real) FROM generate_series(1, 128)), 'bench/1',
                              source => 'bench', lifetime => '1 hour') $$;
SELECT visage.open_gallery('bench/1', 128);
SELECT count(*) FROM (SELECT visage.register('s' || i, probe(), 'bench') FROM generate_series(1, {ROWS}) i OFFSET 0) s;
SELECT sum(codes) FROM visage.galleries;
VACUUM ANALYZE;
INSERT INTO visage.duplicate_policy (institution, action, undetermined, scan_limit) VALUES (1, 'refuse', 'refuse', 1000000);
"""
MEASURE = """
CREATE FUNCTION pg_temp.own_ms() RETURNS double precision LANGUAGE sql VOLATILE AS
  $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::double precision / 1e6 $$;
CREATE FUNCTION pg_temp.registration_ms(name text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  captured CONSTANT visage.probe := public.probe();
  began CONSTANT double precision := pg_temp.own_ms();
  verdict visage.outcome := visage.register(name, captured, 'bench');
BEGIN
  IF verdict.decision <> 'accept' THEN RAISE EXCEPTION 'registration: % %', verdict.decision, verdict.reason; END IF;
  RETURN pg_temp.own_ms() - began;
END $$;
"""


def metric(name, value, unit, target, note):
    print(json.dumps({"metric": name, "value": round(value, 3), "unit": unit, "target": target, "n": ROWS, "note": note}),
          flush=True)


def times_of(cluster, side):
    rounds = "".join(f"SELECT pg_temp.registration_ms('{side}-{i}');\n" for i in range(ROUNDS + 1))
    return [float(line) for line in cluster.psql(MEASURE + rounds, "-A", "-t").split()][1:]


def main():
    settings = {"shared_buffers": "512MB", "visage.probe_max_age": "3600", "visage.max_probes": str(4 * ROWS), "fsync": "off",
                "autovacuum": "off", "jit": "off", "visage.database": "postgres"}
    with Cluster(settings, prefix="pg_visage_bench.") as cluster:
        print(f"gallery: registering {ROWS} subjects", file=sys.stderr)
        cluster.psql(SETUP)
        with_codes = times_of(cluster, "with")
        cluster.psql("SELECT visage.close_gallery('bench/1');\nVACUUM ANALYZE;")
        without = times_of(cluster, "without")
    note = f"median of {ROUNDS} registrations, the backend's own time"
    metric("gallery.duplicates_us", statistics.median(with_codes) * 1000 / ROWS, "us", "", f"a reference, with codes; {note}")
    metric("gallery.duplicates_without_us", statistics.median(without) * 1000 / ROWS, "us", "", f"a reference, all compared 1:1; {note}")
    metric("gallery.duplicates_without_vs_with", statistics.median(without) / statistics.median(with_codes), "ratio", "", note)


try:
    main()
except Failed as failure:
    sys.exit(f"gallery: {failure}")
