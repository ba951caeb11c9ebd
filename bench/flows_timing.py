"""Whether an answer's time tells that somebody is registered.

Calls about people who are there and about names that nobody has, mixed at random in one run of pgbench: a wrong face, a
session that is opened, a wrong password and a wrong code. Warm is a connection that stays, cold a new one for each call.
Each run is cut into blocks of calls that lie together in time; the ratio of the two medians is taken in each block, and
of the blocks the median with the interval that covers it at 95 % (order statistics, no distribution assumed). JSON lines
on stdout. QUICK=1 shows that it runs and nothing else.
"""
import glob
import json
import math
import os
import statistics
import subprocess
import sys

from audit_server import SUBJECTS, Failed, Server

QUICK = os.environ.get("QUICK", "") not in ("", "0")
CALLS = 400 if QUICK else 6000  # of both sorts together
COLD_CALLS = 100 if QUICK else 4000
BLOCKS = 10 if QUICK else 60
FACTOR_COST = 8  # bcrypt's least: its own time would hide what is looked for

# Somebody else's face for everyone; and for each row a name of somebody and one of nobody, which lies between two of somebody.
CASES = f"""
CREATE TABLE cases (id bigint PRIMARY KEY, known text NOT NULL, unknown text NOT NULL, probe visage.probe NOT NULL);
UPDATE visage.factor_policy SET password_cost = {FACTOR_COST};
INSERT INTO visage.session_policy (institution, lifetime) VALUES (1, '1 day') ON CONFLICT (institution) DO UPDATE SET lifetime = '1 day';
SELECT count(*) FROM (SELECT visage.enrol_factor(name, kind::visage.factor_kind, CASE kind WHEN 'totp' THEN 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    ELSE 'correct horse battery' END, 'bench') FROM person, unnest(ARRAY['password', 'totp']) kind OFFSET 0) e;
CREATE TABLE sessions (id bigint PRIMARY KEY, known uuid NOT NULL, unknown uuid NOT NULL);
INSERT INTO sessions SELECT p.id, k.session, u.session FROM person p,
  LATERAL visage.open_session(p.name, 'verify', 'default', 'bench') k, LATERAL visage.open_session(p.name || 'x', 'verify', 'default', 'bench') u;
"""
SEAL = f"""
INSERT INTO cases SELECT i, p.name, p.name || 'x', seal(q.feature)
  FROM generate_series(%d, %d) i JOIN person p ON p.id = i %% {SUBJECTS} JOIN person q ON q.id = (i + 1) %% {SUBJECTS};
VACUUM ANALYZE cases;
"""
NEXT = "\\set n :n + 1\n\\set id :base + :n\n"
ANY = f"\\set id random(0, {SUBJECTS} - 1)\n"
SCRIPTS = {  # {} is the column, known or unknown
    "verify": NEXT + "SELECT (visage.verify(c.{}, c.probe, 'bench')).decision FROM cases c WHERE c.id = :id;\n",
    "open_session": ANY + "SELECT o.factors FROM cases c, visage.open_session(c.{}, 'verify', 'default', 'bench') o WHERE c.id = :id;\n",
    "password": ANY + "SELECT (visage.present_factor(s.{}, 'password', 'wrong horse battery')).decision FROM sessions s WHERE s.id = :id;\n",
    "totp": ANY + "SELECT (visage.present_factor(s.{}, 'totp', '000000')).decision FROM sessions s WHERE s.id = :id;\n",
}
SORTS = ("known", "unknown")


def metric(name, value, n, note):
    print(json.dumps({"metric": f"flows.timing_{name}", "value": float(f"{value:.5g}"), "unit": "ratio", "target": "", "n": n,
                      "note": note}), flush=True)
    print(f"  timing_{name:34} {value:9.5f} {note}", file=sys.stderr, flush=True)


def interval(values):
    """The order statistics between which the median lies with 95 %."""
    values = sorted(values)
    n = len(values)
    below, rank = 0.0, 0
    while rank < n // 2 and below + math.comb(n, rank) / 2 ** n <= 0.025:
        below += math.comb(n, rank) / 2 ** n
        rank += 1
    rank = max(rank, 1)
    return values[rank - 1], values[n - rank]


def compare(calls):
    """calls: (sort, µs) in the order of time. Median ratio unknown / known, its interval, medians of both."""
    size = len(calls) // BLOCKS
    ratios = []
    for at in range(0, size * BLOCKS, size):
        sides = [[us for sort, us in calls[at:at + size] if sort == wanted] for wanted in (0, 1)]
        if min(map(len, sides)) > 0:
            ratios.append(statistics.median(sides[1]) / statistics.median(sides[0]))
    medians = [statistics.median(us for sort, us in calls if sort == wanted) for wanted in (0, 1)]
    return statistics.median(ratios), interval(ratios), medians


class Names(Server):
    def mixed(self, script, calls, cold):
        """(sort, µs) of each call, as the caller sees it, in the order of time."""
        prefix = os.path.join(self.scripts.name, "mixed")
        for old in glob.glob(prefix + ".*"):
            os.remove(old)
        files = []
        for sort in SORTS:
            path = os.path.join(self.scripts.name, sort + ".sql")
            with open(path, "w") as file:
                file.write(script.format(sort))
            files += ["-f", path + "@1"]
        done = subprocess.run([os.path.join(self.bindir, "pgbench"), "-n", "-M", "simple" if cold else "prepared", *files, "-c", "1",
                               "-t", str(calls), "--log", "--log-prefix", prefix, "-Dn=-1", f"-Dbase={self.used}",
                               *(["-C"] if cold else []), self.conninfo()],
                              text=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode != 0:
            raise Failed(f"pgbench failed:\n{done.stdout}{done.stderr}")
        found = []
        for log in glob.glob(prefix + ".*"):
            with open(log) as file:
                found += [(float(f"{words[4]}.{int(words[5]):06}"), int(words[3]), int(words[2])) for words in map(str.split, file)]
        if len(found) != calls:
            raise Failed(f"{calls} calls, {len(found)} in pgbench's log")
        return [(sort, us) for _, sort, us in sorted(found)]

    def run_script(self, name, calls, cold):
        if name == "verify":
            self.psql(SEAL % (self.used, self.used + calls))
        first = self.row("SELECT events FROM visage.audit_status")[0]
        measured = self.mixed(SCRIPTS[name], calls, cold)
        if name == "verify":
            self.used += calls + 1
        # What the server itself took until it handed the record over: without the flush, the network and the client.
        operation = {"verify": "verify", "open_session": "open_session"}.get(name, "present_factor")
        rows = self.value(f"SELECT (subject IS NULL)::int, elapsed_us, coalesce(reason::text, '') FROM visage.event "
                          f"WHERE seq >= {first} AND operation = '{operation}' ORDER BY seq").splitlines()
        inside = [(int(sort), int(us), reason) for sort, us, reason in (row.split("|") for row in rows)]
        reasons = sorted({(sort, reason) for sort, _, reason in inside})
        wanted = {"verify": [(0, "NO_MATCH"), (1, "UNKNOWN_SUBJECT")], "open_session": [(0, ""), (1, "")]}.get(
            name, [(0, "WRONG_FACTOR"), (1, "WRONG_FACTOR")])
        if len(inside) != calls or reasons != wanted:
            raise Failed(f"{name}: {calls} calls, {len(inside)} events, {reasons}")
        return measured, [(sort, us) for sort, us, _ in inside]


def main():
    with Names() as server:
        server.prepare()
        server.psql(CASES)
        server.psql(SEAL % (0, 2 * SUBJECTS))
        server.used = 2 * SUBJECTS + 1
        for name in SCRIPTS:
            server.run_script(name, max(100, CALLS // 20), False)  # counters, caches, plans
        for cold in (False, True):
            for name in SCRIPTS:
                calls = COLD_CALLS if cold else CALLS
                for where, measured in zip(("", "_inside"), server.run_script(name, calls, cold)):
                    ratio, (low, high), medians = compare(measured)
                    metric(f"{name}{'_cold' if cold else ''}{where}", ratio, calls,
                           f"unknown over known {ratio:.4f} ({low:.4f} to {high:.4f}); medians {medians[1]:.0f} and {medians[0]:.0f} us")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"flows: {failure}")
