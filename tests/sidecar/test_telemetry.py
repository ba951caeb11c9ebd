"""What an operator sees: the log, traces, metrics, and the dashboard that draws them."""
import json
import os
import re
import time

from fixture import CHANNEL, PERSON, STRANGER, HttpTest
from rig.cluster import BASE
from wire import Wire

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
DASHBOARD = os.path.join(BASE, "deploy/grafana/visaged.json")


class Log(HttpTest):
    def answered(self, daemon, request_id):
        """The lines of a request; the last is written once it is answered."""
        def lines():
            found = [record for record in daemon.log_records() if record.get("request_id") == request_id]
            return found if found and "route" in found[-1] else None
        return self.wait_for(lines, "the request is not logged")

    def test_every_line_is_json(self):
        """One object a line, whatever is logged: start, requests, refusals, warnings, drain."""
        daemon = self.start("json", log_level="debug")
        client = self.connect(daemon)
        client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        client.verify("nobody", b"no picture", channel=CHANNEL)
        client.request("GET", "/nothing")
        with Wire(daemon.url) as wire:
            wire.send(b"NONSENSE\x01\xff\r\n\r\n")
            wire.answer()
        self.assertEqual(0, daemon.stop())
        lines = daemon.log_lines()
        self.assertGreater(len(lines), 8)
        for line in lines:
            record = json.loads(line)
            self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(record["level"], ("debug", "info", "warning", "error", "critical"))
            self.assertTrue("message" in record or {"request_id", "route", "status", "duration_ms"} <= set(record), line)

    def test_line_of_a_request(self):
        began = time.monotonic()
        reply = self.client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        line, = self.answered(self.stand.daemon, reply.headers["X-Request-Id"])
        waited_ms = (time.monotonic() - began) * 1000
        self.assertEqual(("verify", 200, "OK", "bank"), (line["route"], line["status"], line["code"], line["caller"]))
        self.assertGreater(line["duration_ms"], 1)
        self.assertLess(abs(line["duration_ms"] - reply.json["elapsed_ms"]), 50)
        # From its first byte to what the answer says of itself, to its end, to here.
        self.assertLessEqual(reply.json["elapsed_ms"], line["duration_ms"] + 0.1)
        self.assertLessEqual(line["duration_ms"], waited_ms)

    def test_what_a_request_makes_the_daemon_say_names_it(self):
        """A database error has the id of its request, though the part that logs it knows of no request."""
        reply = self.client.verify("nobody", self.portrait(STRANGER), channel="no such channel")
        self.assertEqual(400, reply.status)
        warning, answered = self.answered(self.stand.daemon, reply.headers["X-Request-Id"])
        self.assertIn("database: ", warning["message"])
        self.assertEqual(400, answered["status"])
        self.assertEqual(warning["trace_id"], answered["trace_id"])

    def test_text_for_people(self):
        daemon = self.start("text", log_format="text")
        reply = self.connect(daemon).request("GET", "/openapi.yaml")
        self.wait_for_log(daemon, f"request={reply.headers['X-Request-Id']} trace=")
        self.assertFalse(any(line.startswith("{") for line in daemon.log_lines()))


class Traces(HttpTest):
    def response(self, value):
        headers = {} if value is None else {"traceparent": value}
        return self.client.request("GET", "/openapi.yaml", headers=headers).headers["traceresponse"]

    def test_goes_on_with_the_callers_trace(self):
        for value, flags in ((f"00-{TRACE}-{PARENT}-01", "01"), (f"00-{TRACE}-{PARENT}-00", "00"),
                             (f"00-{TRACE}-{PARENT}-ff", "01"), (f"cc-{TRACE}-{PARENT}-01-what-is-new", "01")):
            version, trace, span, got = self.response(value).split("-")
            self.assertEqual(("00", TRACE, flags), (version, trace, got), value)
            self.assertRegex(span, "^[0-9a-f]{16}$")
            self.assertNotEqual(PARENT, span)

    def test_begins_one_where_there_is_none_that_is_well_formed(self):
        seen = set()
        for value in (None, "", "00", f"00-{TRACE}-{PARENT}", f"00-{TRACE}-{PARENT}-1", f"00-{TRACE}-{PARENT}-01-more",
                      f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01",
                      f"00-{TRACE.upper()}-{PARENT}-01", f"00-{TRACE}-{PARENT}-0g", f"00_{TRACE}-{PARENT}-01",
                      "x" * 5000):
            text = self.response(value)
            self.assertRegex(text, "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", value)
            self.assertNotIn(TRACE, text, value)
            seen.add(text)
        self.assertEqual(13, len(seen))

    def test_two_are_none(self):
        with Wire(self.stand.daemon.url) as wire:
            header = f"traceparent: 00-{TRACE}-{PARENT}-01\r\n"
            wire.send(f"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n{header}{header}\r\n".encode())
            head = wire.socket.recv(4096).split(b"\r\n\r\n")[0].decode()
        self.assertRegex(head, "traceresponse: 00-")
        self.assertNotIn(TRACE, head)

    def test_is_in_the_log_also_of_a_refusal(self):
        headers = {"traceparent": f"00-{TRACE[::-1]}-{PARENT}-01"}
        reply = self.connect(token="wrong").request("POST", "/v1/verifications", b"", headers)
        self.assertEqual(401, reply.status)
        self.wait_for_log(self.stand.daemon, f"trace_id={TRACE[::-1]} route=verify status=401")


class Metrics(HttpTest):
    def names(self):
        """{name: type} of everything that /metrics has; buckets, sums and counts under their histogram's."""
        text = self.stand.daemon.get_admin("/metrics")[1]
        return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)), text

    def make_traffic(self):
        self.client.register("seen", self.portrait(PERSON), channel=CHANNEL)
        self.client.verify("seen", self.portrait(STRANGER), channel=CHANNEL)
        self.client.cancel("seen", channel=CHANNEL)

    def test_format(self):
        """Each family has its help and type once, and every sample belongs to one."""
        self.make_traffic()
        names, text = self.names()
        self.assertEqual(sorted(names), sorted(re.findall(r"^# HELP (\S+) \S", text, re.M)))
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name = re.match(r'^([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+.e0-9]+$', line)
            self.assertTrue(name, line)
            family = re.sub(r"_(bucket|sum|count)$", "", name[1])
            self.assertTrue(name[1] in names or names.get(family) == "histogram", line)

    def test_stages_have_histograms(self):
        self.make_traffic()
        text = self.names()[1]
        for stage in ("wait", "decode", "detect", "mesh", "expression", "quality", "align", "feature", "liveness", "seal",
                      "database"):
            self.assertIn(f'visaged_stage_seconds_bucket{{stage="{stage}",le="+Inf"}}', text)
        for name, least in (("process_resident_memory_bytes", 50e6), ("visaged_networks_seconds_count", 2),
                            ("visaged_ready", 1), ("visaged_build_info", 1)):
            value = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M)
            self.assertGreaterEqual(float(value[1]), least, name)

    def test_dashboard_draws_what_there_is(self):
        """Every metric and label that the dashboard names is one of /metrics."""
        self.make_traffic()
        names, text = self.names()
        with open(DASHBOARD) as file:
            dashboard = json.load(file)
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        self.assertEqual(len(panels), len({panel["id"] for panel in dashboard["panels"] if panel["type"] != "row"}))
        named = set()
        for panel in panels:
            self.assertTrue(panel["targets"], panel["title"])
            for target in panel["targets"]:
                expression = target["expr"]
                used = set(re.findall(r"\b((?:visaged|process)_[a-z_]+)\b", expression))
                self.assertTrue(used, expression)
                for name in used:
                    family = re.sub(r"_(bucket|sum|count)$", "", name)
                    self.assertTrue(name in names or names.get(family) == "histogram", f"{panel['title']}: {name}")
                    named.add(name if name in names else family)
                labels = re.findall(r"([a-z_]+)\s*[=!][=~]?", " ".join(re.findall(r"\{([^}]*)\}", expression)))
                labels += re.findall(r"[a-z_]+", " ".join(re.findall(r"\bby \(([^)]*)\)", expression)))
                for label in set(labels) - {"instance", "job"}:  # those two are Prometheus's own
                    self.assertRegex(text, rf'[{{,]{label}="', f"{panel['title']}: {label}")
        self.assertEqual(set(names), named, "what is measured and not drawn")
