"""The search of a gallery written with PostgreSQL's own bit_count(a # b), against the gallery's exact search.

1,000,000 random codes of 1,024 bits in a table that is in memory, the ten nearest, one core. JSON lines on stdout.
"""
import json
import os
import statistics
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from rig.cluster import Cluster, Failed  # noqa: E402

ROWS = 1000000
BITS = 1024
ROUNDS = 5

SEARCH = "SELECT count(*) FROM (SELECT FROM code ORDER BY bit_count(bits # %s::bit(1024)) LIMIT 10) nearest"
MEASURE = """
SET max_parallel_workers_per_gather = 0;
SET jit = off;
-- Of the backend's own time, as the search's is its thread's: a busy machine would be counted otherwise.
CREATE FUNCTION pg_temp.own_ms() RETURNS double precision LANGUAGE sql VOLATILE AS
  $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::double precision / 1e6 $$;
CREATE FUNCTION pg_temp.ms(statement text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  began CONSTANT double precision := pg_temp.own_ms();
  found bigint;
BEGIN
  EXECUTE statement INTO found;
  IF found <> 10 THEN RAISE EXCEPTION 'found %', found; END IF;
  RETURN pg_temp.own_ms() - began;
END $$;
"""


def write_codes(path):
    """As COPY … (FORMAT binary) reads them."""
    with open(path, "wb") as file:
        file.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        row = struct.pack(">hii", 1, 4 + BITS // 8, BITS)
        for _ in range(ROWS // 1000):
            noise = os.urandom(1000 * BITS // 8)
            file.write(b"".join(row + noise[at:at + BITS // 8] for at in range(0, len(noise), BITS // 8)))
        file.write(struct.pack(">h", -1))


def exact_ms(program):
    done = subprocess.run([program, str(ROWS)], stdout=subprocess.PIPE, text=True, check=True)
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    return next(f["value"] for f in figures if f["metric"] == "gallery.exact_ms_1m")


def metric(name, value, unit, target, note):
    print(json.dumps({"metric": name, "value": round(value, 3), "unit": unit, "target": target, "n": ROWS, "note": note}),
          flush=True)


def main():
    with Cluster({"shared_buffers": "1GB", "fsync": "off", "autovacuum": "off"}, prefix="pg_visage_bench.") as cluster:
        print(f"gallery: {ROWS} codes into a table", file=sys.stderr)
        codes = os.path.join(cluster.stage, "codes")
        write_codes(codes)
        cluster.psql(f"CREATE TABLE code (bits bit({BITS}) NOT NULL);\n\\copy code FROM '{codes}' (FORMAT binary)\n"
                     "VACUUM ANALYZE code;")
        os.unlink(codes)
        probe = cluster.value("SELECT quote_literal(bits::text) FROM code LIMIT 1")
        lines = cluster.psql(MEASURE + f"SELECT pg_temp.ms($q${SEARCH % probe}$q$);\n" * (ROUNDS + 1), "-A", "-t").split()
    times = [float(line) for line in lines][1:]  # the first round warms up
    exact = exact_ms(sys.argv[1])
    metric("gallery.bit_count_sql_ms_1m", statistics.median(times), "ms", "",
           "ORDER BY bit_count(bits # probe) LIMIT 10, table in shared buffers, no parallel workers")
    metric("gallery.bit_count_sql_vs_exact_1m", statistics.median(times) / exact, "ratio", ">= 50",
           f"how many times as long SQL takes; the exact search took {exact:.2f} ms right after it")


try:
    main()
except Failed as failure:
    sys.exit(f"gallery: {failure}")
