"""What a daemon knew is in the database: another one goes on where it stopped, or died [8.2.3c]."""
import os
import signal
import socket
import threading

from fixture import CHANNEL, LIMIT_S, PERSON, SAME_PERSON, HttpTest
from wire import Wire, post_head


class Restart(HttpTest):
    def kill(self, daemon):
        """As a crash or a power cut would."""
        process, daemon.process = daemon.process, None
        process.kill()
        process.wait()

    def open_session(self, daemon, subject):
        reply = self.connect(daemon).open_session(subject, "verify", channel=CHANNEL)
        self.assertEqual(201, reply.status, reply.body)
        return reply.json

    def verify(self, daemon, subject, opened):
        return self.connect(daemon).verify(subject, self.portrait(SAME_PERSON), channel=CHANNEL, session=opened["session"],
                                           nonce=opened["nonce"])

    def test_sessions_outlive_the_daemon(self):
        subject = "restart/session"
        first = self.start("first")
        self.assertEqual(201, self.connect(first).register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        opened, left = self.open_session(first, subject), self.open_session(first, subject)
        with Wire(first.url) as wire:
            wire.send(post_head(self.stand.token, 90000) + b'{"subject":')  # it dies in the middle of an upload
            self.kill(first)
        second = self.start("second")
        state = self.connect(second).request("GET", f"/v1/sessions/{opened['session']}").json
        self.assertEqual(("CREATED", opened["expires_at"]), (state["state"], state["expires_at"]))
        self.assertEqual("accept", self.verify(second, subject, opened).decision)
        self.kill(second)  # and what is used up stays so
        third = self.start("third")
        self.assertEqual("REPLAYED_SESSION", self.verify(third, subject, opened).code)
        self.assertEqual("SUCCEEDED", self.connect(third).request("GET", f"/v1/sessions/{opened['session']}").json["state"])
        self.assertEqual("accept", self.verify(third, subject, left).decision)
        self.assertEqual(200, self.connect(third).cancel(subject, channel=CHANNEL).status)

    def test_a_call_repeated_after_a_crash_is_the_same_call(self):
        """The backend does not know whether the daemon died before or after the verdict: the biz_id says."""
        subject = "restart/biz"
        first = self.start("biz-first")
        client = self.connect(first)
        self.assertEqual(201, client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        before = client.verify(subject, self.portrait(SAME_PERSON), channel=CHANNEL, biz_id="order-9")
        self.kill(first)
        after = self.connect(self.start("biz-second")).verify(subject, self.portrait(SAME_PERSON), channel=CHANNEL,
                                                              biz_id="order-9")
        self.assertEqual(("accept", before.json["transaction_id"], before.json["event"]),
                         (after.decision, after.json["transaction_id"], after.json["event"]))
        self.client.cancel(subject, channel=CHANNEL)

    def test_not_ready_while_it_drains(self):
        """A balancer sends no more, and what was begun gets its verdict."""
        daemon = self.start("leaving")
        body = b'{"subject": "nobody", "image": "x"}'
        with Wire(daemon.url) as wire:
            wire.send(post_head(self.stand.token, len(body)) + body[:10])
            self.wait_for_metrics(daemon, 'visaged_connections{state="open"} 1')
            codes = []
            stopping = threading.Thread(target=lambda: codes.append(daemon.stop()))
            stopping.start()
            self.wait_for_log(daemon, "draining")
            status, text = daemon.get_admin("/ready")
            self.assertEqual(503, status)
            self.assertIn('"draining": true', text)
            self.assertEqual(200, daemon.get_admin("/live")[0])
            wire.send(body[10:])
            self.assertEqual(400, wire.answer()[0])
            stopping.join()
        self.assertEqual([0], codes)

    def test_the_service_manager_is_told(self):
        """READY=1 once requests are served, STOPPING=1 at the signal; in a path and in the abstract name space."""
        for number, path in enumerate((os.path.join(self.cluster.stage, "notify"), f"@visaged-test-{os.getpid()}")):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(path.replace("@", "\0"))
                manager.settimeout(LIMIT_S)
                daemon = self.start(f"told-{number}", wait=False, environment={"NOTIFY_SOCKET": path})
                self.assertEqual(b"READY=1", manager.recv(100))
                self.assert_serving(daemon)
                daemon.process.send_signal(signal.SIGTERM)
                self.assertEqual(b"STOPPING=1", manager.recv(100))
                self.assertEqual(0, daemon.stop())
