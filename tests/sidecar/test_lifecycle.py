"""Starting, being ready, stopping."""
import json
import os
import shutil
import signal
import threading

from fixture import CHANNEL, LIMIT_S, STRANGER, HttpTest
from rig.cluster import BASE
from wire import Wire, post_head


class Ready(HttpTest):
    def test_admin_pages(self):
        daemon = self.stand.daemon
        self.assertEqual((200, {"live": True}), (daemon.get_admin("/live")[0], json.loads(daemon.get_admin("/live")[1])))
        self.assertTrue(daemon.wait_ready()["ready"])
        self.client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        self.assertEqual(200, daemon.get_admin("/metrics")[0])
        self.wait_for_metrics(daemon, 'visaged_requests_total{route="verify",status="200"}', 'visaged_pipelines{state="waiting"}',
                              'visaged_stage_seconds_bucket{stage="feature",le="+Inf"}',
                              'visaged_outcomes_total{flow="verify",decision="refuse",reason="UNKNOWN_SUBJECT"}',
                              'visaged_database_connections{state="idle"}', "# TYPE visaged_request_seconds histogram")
        self.assertEqual(404, daemon.get_admin("/v1/verifications")[0])

    def test_without_models(self):
        """[8.2.3c] Starts, says which are missing, serves nothing that needs them."""
        partial = os.path.join(self.cluster.stage, "models")
        shutil.copytree(os.path.join(BASE, "models"), partial, ignore=shutil.ignore_patterns("portraits"))
        os.remove(os.path.join(partial, "sface.onnx"))
        for models, wanted in ((partial, "sface.onnx"), ("/nonexistent", "onnx")):
            daemon = self.start("blind", wait=False, models=models)
            report = self.wait_loaded(daemon)
            self.assertFalse(report["ready"] or report["models"]["ready"])
            self.assertIn(wanted, " ".join(report["models"]["missing"]))
            self.assertTrue(report["database"]["ready"] and report["source_key"]["ready"])
            reply = self.connect(daemon).verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
            self.assert_problem(reply, 503, "NOT_READY", "models")
            self.assertEqual(200, self.connect(daemon).cancel("nobody", channel=CHANNEL).status)
            self.assertEqual(0, daemon.stop())

    def wait_loaded(self, daemon):
        report = lambda: json.loads(daemon.get_admin("/ready")[1])
        self.wait_for(lambda: "being loaded" not in " ".join(report()["models"]["missing"]), "the models are being loaded for ever")
        return report()

    def test_source_key_may_come_later(self):
        path = os.path.join(self.cluster.stage, "later.key")
        daemon = self.start("keyless", wait=False, source_key=path)
        report = self.wait_loaded(daemon)
        self.assertIn("later.key", report["source_key"]["why"])
        reply = self.connect(daemon).verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        self.assert_problem(reply, 503, "NOT_READY", "source key")
        with open(self.stand.source_key) as file:
            text = file.read()
        self.cluster.write_private("later.key", text, owner="me")
        self.assert_serving(daemon)
        daemon.wait_ready()

    def test_unknown_setting(self):
        from rig.cluster import Failed
        with self.assertRaises(Failed):
            self.start("typo", wait=False, listn="127.0.0.1:0")


class Drain(HttpTest):
    def test_running_requests_are_answered(self):
        """SIGTERM in the middle of an upload: the rest is taken, the verdict given, then exit 0."""
        daemon = self.start("drain", idle_timeout_ms=1000 * LIMIT_S)
        body = json.dumps({"subject": "nobody", "image": "x"}).encode()
        with Wire(daemon.url) as wire, Wire(daemon.url) as idle:
            idle.send(b"GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(200, idle.answer()[0])
            wire.send(post_head(self.stand.token, len(body)) + body[:10])
            self.wait_for_metrics(daemon, 'visaged_connections{state="open"} 2')
            stopped = threading.Thread(target=lambda: codes.append(daemon.stop()))
            codes = []
            stopped.start()
            self.wait_for_log(daemon, "draining")
            self.assertEqual(0, idle.answer()[0])  # idle connections end
            wire.send(body[10:])
            status, problem, _ = wire.answer()
            self.assertEqual((400, "MALFORMED_BASE64"), (status, problem["code"]))
            stopped.join()
        self.assertEqual([0], codes)
        self.assertIn("stopped", daemon.log_text())
        with self.assertRaises(OSError):
            self.connect(daemon).cancel("nobody")

    def test_stop_while_starting_and_by_interrupt(self):
        daemon = self.start("early", wait=False)
        self.assertEqual(0, daemon.stop())
        daemon = self.start("interrupt")
        daemon.process.send_signal(signal.SIGINT)
        self.assertEqual(0, daemon.process.wait(LIMIT_S))
