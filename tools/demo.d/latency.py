"""How long each step takes, from the Server-Timing header that visaged sends when asked to."""
import threading

from screen import percentile, table

# The order of the steps; what is not in an answer did not happen.
STAGES = ["receive", "wait", "decode", "detect", "mesh", "align", "feature", "liveness", "seal", "database"]


class Latency:
    def __init__(self):
        self.lock = threading.Lock()
        self.stages = {stage: [] for stage in STAGES}
        self.whole = {}

    def add(self, kind, reply):
        with self.lock:
            self.whole.setdefault(kind, []).append(reply.ms)
            for entry in filter(None, reply.headers.get("Server-Timing", "").split(", ")):
                stage, _, duration = entry.partition(";dur=")
                self.stages.setdefault(stage, []).append(float(duration))

    def show(self):
        rows = [(f"  {stage}", len(values), f"{percentile(values, 50):.2f}", f"{percentile(values, 99):.2f}")
                for stage, values in self.stages.items() if values]
        rows += [(f"whole {kind}, over HTTP", len(values), f"{percentile(values, 50):.2f}",
                  f"{percentile(values, 99):.2f}") for kind, values in self.whole.items()]
        table(["step", "n", "median ms", "p99 ms"], rows)
