"""How fast a batch of an import is loaded: COPY of its staged rows, then their registration by one session and by two.

A private server with fsync on. Everybody must be registered, each with an event, and everything belong together. JSON lines on
stdout.
"""
import json
import os
import sys
import threading
import time

from audit_server import Failed, Server

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROWS = 2000 if QUICK else 40000
TARGET = 20000  # a minute

# Faces of nobody: what a feature says costs nothing.
STAGE = """
CREATE TABLE staging_{name} AS
  SELECT {batch} AS batch, '{name}-' || i AS subject,
         visage.seal_probe(array_agg((random() - 0.5)::real), 'bench/1', source => 'bench', session_nonce => '{nonce}',
                           lifetime => '7 days') AS probe
  FROM generate_series(1, {rows}) i, generate_series(1, 128) GROUP BY i;
COPY staging_{name} TO '{file}' (FORMAT binary);
DROP TABLE staging_{name};
"""


def say(text):
    print(f"flows: {text}", file=sys.stderr, flush=True)


def metric(name, value, unit, target, n, note):
    print(json.dumps({"metric": f"flows.{name}", "value": float(f"{value:.4g}"), "unit": unit, "target": target, "n": n,
                      "note": note}), flush=True)
    say(f"{name:24} {value:12.4g} {unit:14} {note}")


class Session(threading.Thread):
    def __init__(self, server, batch):
        super().__init__()
        self.server, self.batch, self.failure = server, batch, None

    def run(self):
        try:
            self.server.psql(f"CALL visage.import_references({self.batch});")
        except Failed as failure:
            self.failure = failure


def load(server, name, sessions):
    """Rows a minute of COPY and registration together, and the seconds of each."""
    batch, nonce = server.value(f"SELECT batch, nonce FROM visage.open_import('{name}', 'bench', authority => 'registry')").split("|")
    file = os.path.join(server.stage, f"{name}.copy")
    server.psql(STAGE.format(batch=batch, name=name, nonce=nonce, rows=ROWS, file=file))
    server.psql("CHECKPOINT;")
    began = time.monotonic()
    server.psql(f"COPY visage.import_staging (batch, subject, probe) FROM '{file}' (FORMAT binary);")
    copied = time.monotonic() - began
    workers = [Session(server, batch) for _ in range(sessions)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.failure:
            raise worker.failure
    took = time.monotonic() - began
    imported, events = server.row(
        f"SELECT imported, (SELECT count(*) FROM visage.event WHERE operation = 'register' AND object = 'import {batch}') "
        f"FROM visage.import_progress WHERE batch = {batch}")
    if imported != ROWS or events != ROWS:
        raise Failed(f"{imported} of {ROWS} rows were imported, with {events} events")
    return ROWS * 60 / took, copied, took - copied


def main():
    with Server(**{"visage.keeper": "off"}) as server:
        server.prepare()
        server.psql("INSERT INTO visage.authority (institution, name) VALUES (1, 'registry');")
        one, copied, registered = load(server, "one", 1)
        two, _, two_registered = load(server, "two", 2)
        server.psql("VACUUM ANALYZE;")
        faults = server.value("SELECT count(*) FROM visage.integrity()")
        if faults != "0":
            raise Failed(f"{faults} faults: {server.value('SELECT * FROM visage.integrity() LIMIT 3')}")
        metric("import_per_min", one, "references/min", TARGET, ROWS,
               f"one session: COPY {copied:.1f} s, registration {registered:.1f} s, an event each; "
               f"two sessions {two:.0f}/min, registration {two_registered:.1f} s")
    return 0


try:
    sys.exit(main())
except Failed as failure:
    sys.exit(f"flows: {failure}")
