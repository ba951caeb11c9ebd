"""Bounded in time, memory and number [8.2.3c]."""
import concurrent.futures
import contextlib
import select
import time

from fixture import CHANNEL, LIMIT_S, PERSON, STRANGER, HttpTest
from rig import pictures
from wire import Wire, post_head


class SlowCallers(HttpTest):
    SECONDS = 1.0

    def setUp(self):
        super().setUp()
        self.daemon = self.start("slow", request_timeout_ms=int(self.SECONDS * 1000), idle_timeout_ms=400,
                                 max_connections=4)

    def drip(self, first, rest):
        """Each byte comes soon enough for a limit per read; the request as a whole does not."""
        with Wire(self.daemon.url) as wire:
            wire.send(first)
            return wire.answer(wire.drip(rest, 0.1, LIMIT_S))

    def test_slow_in_every_place(self):
        head = post_head(self.stand.token, 10000)
        for first, rest in ((b"POST /v1/ver", b"x" * 5000), (head[:-2], b"X-Slow: " + b"x" * 5000), (head, b"{" * 9999)):
            status, problem, seconds = self.drip(first, rest)
            self.assertEqual((408, "REQUEST_TIMEOUT"), (status, problem["code"]), first)
            self.assertLess(seconds, 2 * self.SECONDS + 1)
            self.assertGreater(seconds, 0.8 * self.SECONDS)
        self.assert_serving(self.daemon)

    def test_slowloris_does_not_lock_out_others(self):
        """More slow callers than threads: the others wait one time limit, not for ever."""
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(Wire(self.daemon.url)) for _ in range(6)]
            for wire in wires:
                wire.send(b"POST /v1/verifications HTTP/1.1\r\nX-Slow: ")
            self.assert_serving(self.daemon)
            self.assertLess(time.monotonic() - wires[0].began, 4 * self.SECONDS + 2)

    def test_silent_connections_are_closed(self):
        with Wire(self.daemon.url) as wire:
            status, _, seconds = wire.answer()
            self.assertEqual(0, status)
            self.assertLess(seconds, 2)

    def test_connections_past_the_line_are_told(self):
        """4 served, 8 in line; the rest get 503 while those are."""
        daemon = self.start("line", max_connections=4)
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(Wire(daemon.url)) for _ in range(4)]
            for wire in held:
                wire.send(b"POST /v1/")
            self.wait_for_metrics(daemon, 'visaged_connections{state="open"} 4')
            waiting = [stack.enter_context(Wire(daemon.url)) for _ in range(12)]
            told = []
            while len(told) < 4:
                ready, _, _ = select.select([wire.socket for wire in waiting], [], [], LIMIT_S)
                self.assertTrue(ready, "nobody is told")
                told += [wire.answer()[:2] for wire in waiting if wire.socket in ready]
                waiting = [wire for wire in waiting if wire.socket not in ready]
            self.assertEqual([(503, "BUSY")] * 4, [(status, problem["code"]) for status, problem in told])
            self.assertIn('visaged_connections{state="waiting"} 8\n', daemon.get_admin("/metrics")[1])
        self.assert_serving(daemon)


class Protocol(HttpTest):
    def exchange(self, data):
        with Wire(self.stand.daemon.url) as wire:
            wire.send(data)
            return wire.answer()[:2]

    def test_refused_framings(self):
        token = self.stand.token
        chunked = post_head(token, 5).replace(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"
        both = post_head(token, 5, extra="Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n"
        twice = post_head(token, 5, extra="Content-Length: 6\r\n") + b"hello"
        none = post_head(token, 5).replace(b"Content-Length: 5\r\n", b"")
        for data, status, code in ((chunked, 411, "LENGTH_REQUIRED"), (both, 411, "LENGTH_REQUIRED"),
                                   (twice, 400, "MALFORMED_REQUEST"), (none, 411, "LENGTH_REQUIRED"),
                                   (post_head(token, "-1"), 400, "MALFORMED_REQUEST"),
                                   (post_head(token, "5x"), 400, "MALFORMED_REQUEST"),
                                   (post_head(token, 10**18), 413, "BODY_TOO_LARGE"),
                                   (post_head(token, 10**30), 400, "MALFORMED_REQUEST"),
                                   (b"NONSENSE\r\n\r\n", 400, "MALFORMED_REQUEST"),
                                   (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n", 431, "HEADERS_TOO_LARGE"),
                                   (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414, "URI_TOO_LONG")):
            got, problem = self.exchange(data)
            self.assertEqual((status, code), (got, problem and problem["code"]), data[:300])

    def test_smuggled_request_is_not_served(self):
        """An unread body is never taken for the next request."""
        inner = b"DELETE /v1/registrations/smuggled HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n" % self.stand.token.encode()
        with Wire(self.stand.daemon.url) as wire:
            wire.send(post_head("wrong", len(inner)) + inner)
            data = b""
            while more := wire.socket.recv(65536):
                data += more
        self.assertEqual(1, data.count(b"HTTP/1.1 "), data)
        self.assertIn(b"401", data.split(b"\r\n")[0])

    def test_expect_continue(self):
        with Wire(self.stand.daemon.url) as wire:
            wire.send(post_head(self.stand.token, 2, extra="Expect: 100-continue\r\n"))
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", wire.socket.recv(25))
            wire.send(b"{}")
            self.assertEqual(400, wire.answer()[0])
        with Wire(self.stand.daemon.url) as wire:
            wire.send(post_head("wrong", 2, extra="Expect: 100-continue\r\n"))
            self.assertEqual(401, wire.answer()[0])  # and no invitation to send the body

    def test_answers_are_plain(self):
        reply = self.client.request("GET", "/openapi.yaml", headers={"Accept-Encoding": "gzip, br", "Range": "bytes=0-9"})
        self.assertEqual(200, reply.status)
        self.assertNotIn("Content-Encoding", reply.headers)
        self.assertTrue(reply.body.startswith(b"openapi:"))


class Work(HttpTest):
    def test_queue_full(self):
        """One pipeline, one in line: of many at once some are served, the others told to come back."""
        daemon = self.start("narrow", pipelines=1, waiting=1)
        image = self.portrait(STRANGER)

        def ask(_):
            return self.connect(daemon).verify("nobody", image, channel=CHANNEL)

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            replies = list(pool.map(ask, range(12)))
        self.assertEqual({200, 503}, {reply.status for reply in replies})
        for reply in replies:
            if reply.status == 503:
                self.assert_problem(reply, 503, "BUSY")
                self.assertEqual("1", reply.headers["Retry-After"])
        self.assertGreaterEqual(sum(reply.status == 200 for reply in replies), 2)
        self.assert_serving(daemon)

    def test_memory_follows_the_pipelines_and_not_the_connections(self):
        """Pictures over many connections take the memory of those that are in work at a time."""
        daemon = self.start("lean", pipelines=2, waiting=100)
        image = self.portrait(STRANGER)
        before = self.resident_mb(daemon)
        self.connect(daemon).verify("nobody", image, channel=CHANNEL)
        one = self.resident_mb(daemon) - before
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            replies = list(pool.map(lambda _: self.connect(daemon).verify("nobody", image, channel=CHANNEL), range(48)))
        self.assertEqual({200}, {reply.status for reply in replies})
        # Two in work and two heaps beside them; some for connections and for how heaps fall into pieces.
        self.assertLess(self.resident_mb(daemon) - before, 6 * one + 100)

    def resident_mb(self, daemon):
        with open(f"/proc/{daemon.process.pid}/statm") as file:
            return int(file.read().split()[1]) * 4096 / 1e6

    def test_body_limit_is_a_setting(self):
        daemon = self.start("small", max_image_bytes=20000)
        reply = self.connect(daemon).verify("nobody", self.portrait(PERSON) + b"\0" * 20000, channel=CHANNEL)
        self.assert_problem(reply, 413, "BODY_TOO_LARGE", "20000")
        reply = self.connect(daemon).verify("nobody", pictures.bomb(), channel=CHANNEL)
        self.assert_problem(reply, 413, "BODY_TOO_LARGE")
