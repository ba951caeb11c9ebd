"""Identification end to end in SQL: how long it takes, and how often it is wrong on faces. JSON lines on stdout.

ROWS: sizes to time, with made-up people whose rows bench/gallery_rows.cpp makes. DATA: where the features of lfw-half are;
open-set, half of the people registered.
Thresholds are the shipped ones, for references of these very people's pictures: the rates are not those of strangers to the
calibration.
"""
import array
import json
import math
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))

from gallery_people import label_of, load_rows, wait_until_served  # noqa: E402
from rig.cluster import Cluster, Failed  # noqa: E402

SIZES = [int(size) for size in os.environ.get("ROWS", "10000 100000 1000000").split()]
DATA = os.environ.get("DATA", "")
ROUNDS = 15
PICTURES = 3
DIMENSION = 128

SETUP = """
CREATE EXTENSION pg_visage CASCADE;
SELECT visage.add_capture_source('bench') IS NOT NULL;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bench', 1e-5);
INSERT INTO visage.identify_policy (institution, scan_limit) VALUES (1, 10000000);
UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL, hard_stop = NULL, period_failures = NULL, period = NULL;
"""
# A made-up calibration that reaches as far as the search asks. Strangers score about 0 here.
MADE = """
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  VALUES ('bench/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01'), ('bench/1', 'RFR-1/1024', 1e-9, 0.55, 'made up', '2026-01-01');
CREATE FUNCTION feature() RETURNS real[] LANGUAGE sql VOLATILE AS
  $$ SELECT array_agg((random() + random() - 1)::real) FROM generate_series(1, 128) $$;
CREATE FUNCTION probe(feature real[]) RETURNS visage.probe LANGUAGE sql VOLATILE AS
  $$ SELECT visage.seal_probe(feature, 'bench/1', source => 'bench', lifetime => '1 hour') $$;
CREATE TABLE known (feature real[]);
SELECT visage.open_gallery('bench/1', 128);
"""
TIMED = """
CREATE FUNCTION pg_temp.identify_ms(feature real[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  captured CONSTANT visage.probe := public.probe(feature);
  began CONSTANT timestamptz := clock_timestamp();
  verdict text;
BEGIN
  SELECT i.decision || ' ' || i.reason INTO verdict FROM visage.identify(captured, 1, 'bench') i;
  RETURN verdict || ' ' || extract(epoch FROM clock_timestamp() - began) * 1000;
END $$;
"""


def metric(name, value, unit, n, note, target=""):
    print(json.dumps({"metric": name, "value": value, "unit": unit, "target": target, "n": n, "note": note}), flush=True)


def cluster(**more):
    return Cluster({"shared_buffers": "512MB", "visage.probe_max_age": "3600", "visage.max_probes": "3000000", "fsync": "off",
                    "autovacuum": "off", "jit": "off", "visage.database": "postgres", **more}, prefix="pg_visage_bench.")


def timed(server, label, feature):
    lines = server.psql(TIMED + "".join(f"SELECT pg_temp.identify_ms({feature});\n" for _ in range(ROUNDS + 1)), "-A", "-t").split("\n")
    answers = [line.split() for line in lines if line.count(" ") == 2][1:]
    if len(answers) != ROUNDS or len({a[1] for a in answers}) != 1:
        raise Failed(f"identify, {label}: {lines}")
    times = sorted(float(a[2]) for a in answers)
    return answers[0][1], statistics.median(times), times[0], times[-1]


def time_sizes(program):
    for size in SIZES:
        # The machine's limit of locked memory may be low; what is measured does not hang on it.
        memory = {"visage.gallery_memory": str(size * 16 // 100000 + 64), "visage.gallery_memory_locked": "off"}
        with cluster(**memory) as server:
            server.psql(SETUP + MADE)
            print(f"identify: {size} people", file=sys.stderr)
            load_rows(server, program, size)
            wait_until_served(server, size)
            for label, feature, reason in (("nobody", "feature()", "NO_MATCH"),
                                           ("somebody", "(SELECT feature FROM known ORDER BY random() LIMIT 1)", "OK")):
                got, median, least, most = timed(server, label, feature)
                if got != reason:
                    raise Failed(f"identify, {label}: {got}")
                name = "identify_ms" if label == "somebody" else "identify_nobody_ms"
                metric(f"gallery.{name}_{label_of(size)}", round(median, 2), "ms", size,
                       f"median of {ROUNDS} calls in a session, {least:.1f} to {most:.1f}, from memory; load {os.getloadavg()[0]:.1f}")
            if size <= 60000:  # what the usual limit of locked memory leaves room for
                time_pairs(server, size)


MADE_FOR_CODES = """
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('bench/1', 'gallery/1024', 1e-12, 0.6, 'made up', '2026-01-01');
"""


def time_pairs(server, size):
    server.psql(MADE_FOR_CODES)
    times = {}
    for workers in (1, 2):
        began = time.monotonic()
        server.value(f"SELECT count(*) FROM visage.near_pairs(1, 'bench/1', 0.01, {workers})")
        times[workers] = time.monotonic() - began
    pairs = size * (size - 1) // 2
    metric(f"duplicates.search_s_{size}", round(times[2], 1), "s", size,
           f"{pairs} pairs of codes, 2 workers, codes opened included; {times[1]:.1f} s with 1; load {os.getloadavg()[0]:.1f}")


def load_faces():
    names = open(os.path.join(DATA, "lfw-half-sface.txt")).read().split()
    values = array.array("f")
    with open(os.path.join(DATA, "lfw-half-sface.f32"), "rb") as file:
        values.frombytes(file.read())
    people = {}
    for i, name in enumerate(names):
        people.setdefault(name.split("/")[0], []).append(values[i * DIMENSION:(i + 1) * DIMENSION])
    return people


def interval(hits, n):
    """Wilson, 95 %."""
    z = 1.959964
    middle, half = (hits + z * z / 2) / (n + z * z), z / (n + z * z) * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return max(0, middle - half), min(1, middle + half)


def bootstrap(of_person, rounds=1000):
    """A rate over all searches and its 95 % interval; the people are drawn, as searches of one person are not independent."""
    chance = random.Random(1)
    rates = []
    for _ in range(rounds):
        drawn = chance.choices(of_person, k=len(of_person))
        rates.append(sum(hits for hits, _ in drawn) / sum(n for _, n in drawn))
    rates.sort()
    return (sum(h for h, _ in of_person) / sum(n for _, n in of_person), rates[int(0.025 * rounds)], rates[int(0.975 * rounds)])


def literal(feature):
    return "{" + ",".join(f"{x:.7g}" for x in feature) + "}"


def copy(server, table, rows):
    text = "".join("\t".join(row) + "\n" for row in rows)
    server.psql(f"CREATE TABLE {table} (person text, i int, feature real[]);\nCOPY {table} FROM STDIN;\n{text}\\.\n")


SEARCH = """
UPDATE visage.identify_policy SET fpir = {fpir};
SELECT s.person, s.i, coalesce(f.subject, '-'), f.decision, f.reason FROM searched s,
  visage.identify(visage.seal_probe(s.feature, 'sface-2021dec/1', source => 'bench', lifetime => '1 hour'), 1, 'bench') f;
"""


def search_faces(people):
    order = sorted(people)
    random.Random(7).shuffle(order)
    enrolled = set(order[:len(order) // 2])
    # Of the few with hundreds of pictures no more than of others.
    rows = [(p, str(i), literal(f)) for p in order for i, f in enumerate(people[p][:PICTURES]) if p not in enrolled or i > 0]
    with cluster() as server:
        server.psql(SETUP)
        copy(server, "enrolled", [(p, "0", literal(people[p][0])) for p in sorted(enrolled)])
        copy(server, "searched", rows)
        server.psql("SELECT visage.open_gallery('sface-2021dec/1', 128);\n"
                    "SELECT count(*) FROM (SELECT visage.register(person, visage.seal_probe(feature, 'sface-2021dec/1', source => 'bench', "
                    "lifetime => '1 hour'), 'bench') FROM enrolled OFFSET 0) s;")
        for fpir in (0.1, 0.01, 0.003):
            report(server.psql(SEARCH.format(fpir=fpir), "-A", "-t", "-F", "|"), fpir, enrolled)


def report(output, fpir, enrolled):
    found, missed, wrong = {}, {}, 0
    reasons = {}
    firsts = [0, 0]
    for line in output.split("\n"):
        if line.count("|") != 4:
            continue
        person, i, subject, decision, reason = line.split("|")
        reasons[reason] = reasons.get(reason, 0) + 1
        if person in enrolled:
            hits, n = missed.get(person, (0, 0))
            missed[person] = (hits + (subject != person), n + 1)
            wrong += subject not in (person, "-")
        else:
            hits, n = found.get(person, (0, 0))
            found[person] = (hits + (decision == "accept"), n + 1)
            if i == "0":
                firsts = [firsts[0] + (decision == "accept"), firsts[1] + 1]
    note = f"{len(enrolled)} people registered with one picture, of the others and of further pictures: {reasons}"
    if "NOT_CALIBRATED" in reasons:
        metric(f"identify.fpir_at_{fpir:g}", None, "", 0, "refused as NOT_CALIBRATED: " + note)
        return
    rate, low, high = bootstrap(list(found.values()))
    metric(f"identify.fpir_at_{fpir:g}", round(rate, 5), "rate", sum(n for _, n in found.values()),
           f"95 % {low:.5f} to {high:.5f} (bootstrap over {len(found)} people); {note}", f"<= {fpir:g}")
    low, high = interval(*firsts)
    metric(f"identify.fpir_first_at_{fpir:g}", round(firsts[0] / firsts[1], 5), "rate", firsts[1],
           f"95 % {low:.5f} to {high:.5f} (Wilson); one picture a person", f"<= {fpir:g}")
    rate, low, high = bootstrap(list(missed.values()))
    metric(f"identify.fnir_at_{fpir:g}", round(rate, 5), "rate", sum(n for _, n in missed.values()),
           f"95 % {low:.5f} to {high:.5f} (bootstrap over {len(missed)} people); {wrong} were taken for somebody else")


PAIRS = """
DELETE FROM visage.calibration WHERE scheme = 'gallery/1024';
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('sface-2021dec/1', 'gallery/1024', 1e-15, {threshold}, 'measured here', '2026-01-01');
SELECT 'pairs', count(*) FILTER (WHERE split_part(a.external_id, '/', 1) = split_part(b.external_id, '/', 1)),
       count(*) FILTER (WHERE split_part(a.external_id, '/', 1) <> split_part(b.external_id, '/', 1))
  FROM visage.near_pairs(1, 'sface-2021dec/1', 0.5, 2) p JOIN visage.subject a ON a.id = p.a JOIN visage.subject b ON b.id = p.b;
"""


def pair_faces(people):
    """Two pictures a person as if they were two people: what a threshold on codes alone finds, and whom it confuses."""
    rows = [(f"{p}/{i}", str(i), literal(f)) for p in sorted(people) for i, f in enumerate(people[p][:2])]
    mated = sum(1 for p in people if len(people[p]) > 1)
    strangers = len(rows) * (len(rows) - 1) // 2 - mated
    with cluster() as server:
        server.psql(SETUP)
        copy(server, "shown", rows)
        server.psql("SELECT visage.open_gallery('sface-2021dec/1', 128);\n"
                    "SELECT count(*) FROM (SELECT visage.register(person, visage.seal_probe(feature, 'sface-2021dec/1', source => 'bench', "
                    "lifetime => '1 hour'), 'bench') FROM shown OFFSET 0) s;")
        for threshold in (0.35, 0.40, 0.45, 0.50, 0.55, 0.60):
            line = [l for l in server.psql(PAIRS.format(threshold=threshold), "-A", "-t", "-F", "|").split("\n") if l.startswith("pairs|")][0]
            same, other = (int(x) for x in line.split("|")[1:])
            low, high = interval(mated - same, mated)
            metric(f"duplicates.code_fnmr_at_{threshold:g}", round(1 - same / mated, 4), "rate", mated, f"95 % {low:.4f} to {high:.4f} (Wilson; people)")
            metric(f"duplicates.code_fmr_at_{threshold:g}", other / strangers, "rate", strangers, f"{other} pairs of strangers; 30 are needed to say much")


try:
    if SIZES:
        time_sizes(sys.argv[1])
    if os.path.exists(os.path.join(DATA, "lfw-half-sface.f32")):
        faces = load_faces()
        search_faces(faces)
        pair_faces(faces)
    else:
        print("identify: no rates: skipped: no data (DATA=)", file=sys.stderr)
except Failed as failure:
    sys.exit(f"identify: {failure}")
