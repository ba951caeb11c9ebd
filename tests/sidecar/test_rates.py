"""Each caller at its own rate [8.2.3d]; one that calls too often harms nobody else [8.2.3c]."""
import time

from fixture import CHANNEL, HttpTest
from rig import bank
from rig.cluster import Failed
from wire import Wire, post_head


class Rates(HttpTest):
    RATE = 5

    def setUp(self):
        super().setUp()
        self.slow, _ = bank.make_token(self.cluster, "slow", f"* {self.RATE}/s", file="rated")
        self.twin, _ = bank.make_token(self.cluster, "slow", f"* {self.RATE}/s", file="rated", append=True)
        self.strict, _ = bank.make_token(self.cluster, "strict", "verify 1/min", file="rated", append=True)
        self.free, callers = bank.make_token(self.cluster, "free", file="rated", append=True)
        self.daemon = self.start("rated", callers=callers)

    def call(self, client):
        return client.request("GET", "/v1/registrations/nobody/references")

    def test_calls_pass_at_the_rate_and_no_faster(self):
        client, began = self.connect(self.daemon, self.slow), time.monotonic()
        passed = refused = 0
        while passed < 4 * self.RATE:
            reply = self.call(client)
            if reply.status == 429:
                refused += 1
                self.assert_problem(reply, 429, "RATE_LIMITED")
                self.assertEqual("1", reply.headers["Retry-After"])
            else:
                self.assertEqual(200, reply.status, reply.body)
                passed += 1
            seconds = time.monotonic() - began
            self.assertLessEqual(passed, self.RATE * (1 + seconds) + 1)  # a second's worth at once, then the rate
            self.assertLess(seconds, 20, "calls at the rate are refused too")
        self.assertGreater(refused, 0)

    def test_one_callers_rate_is_its_own(self):
        """Two credentials of one caller share its rate; another caller is served meanwhile."""
        clients = [self.connect(self.daemon, token) for token in (self.slow, self.twin)]
        statuses = [self.call(client).status for _ in range(2 * self.RATE) for client in clients]
        self.assertEqual({200, 429}, set(statuses))
        free = self.connect(self.daemon, self.free)
        self.assertEqual([200] * 30, [self.call(free).status for _ in range(30)])

    def test_refused_before_the_body_is_read(self):
        """And counted before rights are looked at: who may not call cannot ask at any rate either."""
        client = self.connect(self.daemon, self.strict)
        self.assert_problem(self.call(client), 403, "FORBIDDEN")
        with Wire(self.daemon.url) as wire:
            wire.send(post_head(self.strict, 1000000))
            status, problem, seconds = wire.answer()
        self.assertEqual((429, "RATE_LIMITED"), (status, problem["code"]))
        self.assertLess(seconds, 5)

    def test_rate_of_the_rest(self):
        daemon = self.start("all-rated", caller_rate="120/min")
        client = self.connect(daemon)
        statuses = [client.cancel("nobody", channel=CHANNEL).status for _ in range(8)]
        self.assertEqual({200, 429}, set(statuses))
        self.assertEqual(200, statuses[1])  # two a second

    def test_bad_rates_are_refused(self):
        for rate in ("5", "5/h", "0/s", "-1/s", "x/s", "/s", "5/s/s", "1e9/s", "nan/s"):
            _, path = bank.make_token(self.cluster, "bad", f"* {rate}", file="bad-rate")
            with self.assertRaises(Failed, msg=rate) as caught:
                self.start("bad-rate", wait=False, callers=path)
            self.assertIn("line 1", str(caught.exception))
            with self.assertRaises(Failed, msg=rate):
                self.start("bad-rate", wait=False, caller_rate=rate)
