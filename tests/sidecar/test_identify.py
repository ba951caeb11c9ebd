"""Whose face is it? A route that a caller has by name, and a database right of its own. [6.6f]"""
from fixture import CHANNEL, PERSON, SAME_PERSON, STRANGER
from rig import bank
from searching import SearchTest


class Identify(SearchTest):
    def setUp(self):
        super().setUp()
        token, callers = bank.make_token(self.cluster, caller="searcher", routes="*,identify", file="searchers")
        only, callers = bank.make_token(self.cluster, caller="desk", routes="identify", file="searchers", append=True)
        all_, callers = bank.make_token(self.cluster, caller="bank", routes="*", file="searchers", append=True)
        daemon = self.start("search", callers=callers)
        self.searcher, self.desk, self.bank = (self.connect(daemon, t) for t in (token, only, all_))

    def test_names_who_it_is(self):
        self.bank.register("identify-1", self.portrait(PERSON), channel=CHANNEL)
        self.addCleanup(self.bank.cancel, "identify-1", channel=CHANNEL)
        for client in (self.searcher, self.desk):
            found = client.post("/v1/identify", {"image": self.portrait(SAME_PERSON), "channel": CHANNEL, "max_candidates": "2",
                                                 "biz_id": f"who-{id(client)}"})
            self.assertEqual((200, "accept", "OK"), (found.status, found.json["decision"], found.json["reason"]), found.body)
            self.assertEqual([{"rank": 1, "subject": "identify-1"}], found.json["candidates"])
            self.assertEqual(0.01, found.json["fpir"])
        nobody = self.searcher.post_json("/v1/identify", {"image": self.portrait(STRANGER), "channel": CHANNEL})
        self.assertEqual((200, "reject", "NO_MATCH", []), (nobody.status, nobody.json["decision"], nobody.json["reason"],
                                                           nobody.json["candidates"]), nobody.body)
        self.assertEqual("identify|t", self.cluster.value(
            f"SELECT operation, subject IS NULL FROM visage.history WHERE event = {nobody.json['event']}"))

    def test_is_a_right_that_is_given_by_name(self):
        """[8.2.3d] Neither all routes of a caller nor the database role of the other flows is enough."""
        parts = {"image": self.portrait(STRANGER), "channel": CHANNEL}
        self.assert_problem(self.bank.post("/v1/identify", parts), 403, "FORBIDDEN")
        reply = self.desk.post("/v1/verifications", {"subject": "identify-1", **parts})
        self.assert_problem(reply, 403, "FORBIDDEN")
        self.cluster.psql(f"REVOKE visage_search FROM {bank.ROLE}")
        self.assert_problem(self.searcher.post("/v1/identify", parts), 500, "DATABASE_MISCONFIGURED", "lacks a right")

    def test_what_policy_does_not_allow(self):
        parts = {"image": self.portrait(STRANGER), "channel": CHANNEL}
        for wrong in ("3", "0", "x"):
            self.assert_problem(self.searcher.post("/v1/identify", {**parts, "max_candidates": wrong}), 400, "INVALID_VALUE")
        self.assert_problem(self.searcher.post("/v1/identify", {**parts, "subject": "identify-1"}), 400, "UNKNOWN_PART")
        self.cluster.psql("DELETE FROM visage.identify_policy")
        self.assertEqual(500, self.searcher.post("/v1/identify", parts).status)
