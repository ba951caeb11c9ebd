"""Galleries in memory: how fast one is filled, how soon it has what was committed, how long a search takes in SQL, and
how many a second there are while others register. JSON lines on stdout.

ROWS: sizes. Rows of people are made by bench/gallery_rows.cpp and loaded by COPY; searches are visage.score_candidates(),
which is what identify and the check for duplicates do for candidates, without the record.
"""
import json
import os
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from gallery_people import label_of, load_rows, wait_until_served  # noqa: E402
from rig.cluster import Cluster, Failed  # noqa: E402

SIZES = [int(size) for size in os.environ.get("ROWS", "100000 1000000").split()]
ROUNDS = int(os.environ.get("ROUNDS", "15"))
LAGS = 200
RATE = 100  # registrations a second
SECONDS = 10

SETUP = """
CREATE EXTENSION pg_visage CASCADE;
SELECT visage.add_capture_source('bench') IS NOT NULL;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bench', 1e-5);
-- Made up, as far as the search asks. Strangers score about 0 here, so none is found.
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  VALUES ('bench/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01'), ('bench/1', 'RFR-1/1024', 1e-9, 0.6, 'made up', '2026-01-01');
CREATE FUNCTION feature() RETURNS real[] LANGUAGE sql VOLATILE AS $$ SELECT array_agg((random() + random() - 1)::real) FROM generate_series(1, 128) $$;
CREATE FUNCTION near(feature real[]) RETURNS real[] LANGUAGE sql VOLATILE AS $$ SELECT array_agg((f + 0.05 * (random() + random() - 1))::real) FROM unnest(feature) f $$;
CREATE FUNCTION probe(feature real[]) RETURNS visage.probe LANGUAGE sql VOLATILE AS
  $$ SELECT visage.seal_probe(feature, 'bench/1', source => 'bench', lifetime => '1 hour') $$;
CREATE TABLE known (feature real[]);
CREATE FUNCTION in_memory() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT sum(m.codes) FROM visage.galleries_in_memory() m $$;
CREATE FUNCTION own_ms() RETURNS double precision LANGUAGE sql VOLATILE AS
  $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::double precision / 1e6 $$;
-- The backend's own time, and by the clock, of several: the kernel counts time of its own in steps.
CREATE FUNCTION search_ms(feature real[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  captured CONSTANT visage.probe[] := ARRAY(SELECT probe(feature) FROM generate_series(1, 20));
  own CONSTANT double precision := own_ms();
  began CONSTANT timestamptz := clock_timestamp();
  whole boolean;
BEGIN
  FOR i IN 1 .. 20 LOOP
    SELECT bool_and(c.complete) INTO whole FROM visage.score_candidates(captured[i], 0.01, 100000) c;
    IF NOT whole THEN RAISE EXCEPTION 'the search was not complete'; END IF;
  END LOOP;
  RETURN (own_ms() - own) / 20 || ' ' || extract(epoch FROM clock_timestamp() - began) * 1000 / 20;
END $$;
SELECT visage.open_gallery('bench/1', 128);
"""
LAG = """
CREATE TABLE lag (ms double precision);
DO $$
DECLARE
  began timestamptz;
  had bigint;
BEGIN
  FOR i IN 1 .. %d LOOP
    had := in_memory();
    PERFORM visage.register('lag-%s-' || i, probe(feature()), 'bench');
    COMMIT;
    began := clock_timestamp();
    LOOP
      EXIT WHEN in_memory() > had OR clock_timestamp() > began + interval '10 s';
      PERFORM pg_sleep(0.0005);
    END LOOP;
    INSERT INTO lag VALUES (extract(epoch FROM clock_timestamp() - began) * 1000);
    COMMIT;
  END LOOP;
END $$;
SELECT string_agg(ms::text, ' ') FROM lag;
DROP TABLE lag;
"""
REGISTER = """
DO $$
DECLARE
  began CONSTANT timestamptz := clock_timestamp();
  made int := 0;
BEGIN
  WHILE clock_timestamp() < began + interval '%d s' LOOP
    PERFORM visage.register('rate-' || made, probe(p.feature), 'bench') FROM prepared p WHERE p.i = made %% 1000;
    COMMIT;
    made := made + 1;
    PERFORM pg_sleep(greatest(extract(epoch FROM began + made * interval '1 s' / %d - clock_timestamp()), 0));
  END LOOP;
  RAISE NOTICE 'registered %%', made;
END $$;
SELECT count(*) FROM visage.subject WHERE external_id LIKE 'rate-%%';
"""
SEARCHES = """
DO $$
DECLARE
  began CONSTANT timestamptz := clock_timestamp();
  run int := 0;
BEGIN
  WHILE clock_timestamp() < began + interval '%d s' LOOP
    PERFORM c.score FROM prepared p, visage.score_candidates(probe(p.feature), 0.01, 100000) c WHERE p.i = run %% 1000;
    run := run + 1;
    COMMIT;
  END LOOP;
  UPDATE made SET searches = run / extract(epoch FROM clock_timestamp() - began);
END $$;
SELECT searches FROM made;
"""


def metric(name, value, unit, n, note, target=""):
    print(json.dumps({"metric": name, "value": round(value, 3), "unit": unit, "target": target, "n": n,
                      "note": f"{note}; load {os.getloadavg()[0]:.1f}"}), flush=True)


def filled(server):
    """How many references a second a new worker reads, from its first to its last; None when all came between two looks. Also how many."""
    old, first = server.value("SELECT pid FROM visage.gallery_memory"), None
    server.psql(f"SELECT pg_terminate_backend({old})")
    while True:
        pid, state, done, due = server.value("SELECT w.pid, coalesce(max(m.state), '-'), coalesce(max(m.done), 0), coalesce(max(m.due), 0) "
                                             "FROM visage.gallery_worker() w LEFT JOIN visage.galleries_in_memory() m ON true GROUP BY w.pid").split("|")
        now = time.monotonic()
        if state in ("over the limit", "not locked"):
            raise Failed(f"the gallery is not in memory: {state}")
        if pid not in ("", old) and state == "serving":
            return (int(due) - first[1]) / (now - first[0]) if first else None, int(due)
        if pid not in ("", old) and int(done) > 0 and first is None:
            first = (now, int(done))
        time.sleep(0.002)


def search_times(server, feature):
    lines = server.psql(f"SELECT search_ms({feature});\n" * (ROUNDS + 1), "-A", "-t").strip().split("\n")
    return [sorted(float(line.split()[i]) for line in lines[1:]) for i in (0, 1)]


def measure(size, program):
    settings = {"shared_buffers": "2GB", "visage.probe_max_age": "3600", "visage.max_probes": "200000", "fsync": "off", "autovacuum": "off",
                "jit": "off", "max_wal_size": "8GB", "visage.database": "postgres", "visage.keeper": "off",
                # The machine's limit of locked memory may be low; what is measured does not hang on it.
                "visage.gallery_memory_locked": "off", "visage.gallery_memory": str(size * 16 // 100000 + 64)}
    with Cluster(settings, prefix="pg_visage_bench.") as server:
        server.psql(SETUP)
        print(f"gallery memory: loading {size} people", file=sys.stderr)
        load_rows(server, program, size)
        wait_until_served(server, size)
        rate, references = filled(server)
        if rate:
            metric(f"gallery.fill_per_s_{label_of(size)}", rate, "1/s", references, "references a second, from their table into memory")
        else:
            print(f"gallery memory: {references} references are too few to say how fast they are read", file=sys.stderr)
        for label, feature in (("nobody", "feature()"), ("somebody", "near((SELECT feature FROM known LIMIT 1))")):
            own, clock = search_times(server, feature)
            metric(f"gallery.search_{label}_ms_{label_of(size)}", statistics.median(own), "ms", 20 * ROUNDS,
                   f"candidates in SQL, median of the backend's own time, {own[0]:.2f} to {own[-1]:.2f}; by the clock {statistics.median(clock):.2f}")
        server.psql("CREATE TABLE made AS SELECT 0::double precision AS searches;\n"
                    "CREATE TABLE prepared AS SELECT i, feature() AS feature FROM generate_series(0, 999) i;\nCREATE INDEX ON prepared (i);\nANALYZE prepared;")
        alone = float(server.value(SEARCHES % SECONDS))
        metric(f"gallery.searches_per_s_{label_of(size)}", alone, "1/s", int(alone * SECONDS), "one session")
        lags = sorted(float(ms) for ms in server.psql(LAG % (LAGS, "alone"), "-A", "-t").split())
        metric("gallery.lag_p99_ms" if size == SIZES[-1] else f"gallery.lag_p99_ms_{label_of(size)}", lags[int(0.99 * LAGS) - 1], "ms", LAGS,
               f"from commit to memory, one registering; median {statistics.median(lags):.1f}, most {lags[-1]:.1f}; searches read what is newer from the table")
        registered = []
        thread = threading.Thread(target=lambda: registered.append(int(server.psql(REGISTER % (SECONDS + 4, RATE), "-A", "-t").split()[-1])))
        thread.start()
        time.sleep(2)
        busy = float(server.value(SEARCHES % SECONDS))
        thread.join()
        metric(f"gallery.searches_per_s_while_registering_{label_of(size)}", busy, "1/s", int(busy * SECONDS),
               f"one session, beside {registered[0] / (SECONDS + 4):.0f} registrations a second")


def main():
    for size in SIZES:
        measure(size, sys.argv[1])


try:
    main()
except Failed as failure:
    sys.exit(f"gallery memory: {failure}")
