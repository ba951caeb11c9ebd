"""The console's calls over HTTP; the page itself is tests/browser's."""
from fixture import CHANNEL, PERSON, STRANGER, HttpTest
from rig import bank
from rig.client import Client, registration

ROLE = "console_reader"


class Console(HttpTest):
    def setUp(self):
        super().setUp()
        if not hasattr(self.stand, "console"):
            self.cluster.psql(f"CREATE ROLE {ROLE} LOGIN IN ROLE visage_auditor")
            self.stand.reader, callers = bank.make_token(self.cluster, caller="reader", file="console-callers",
                                                         routes="*,list_sessions,read_history,read_reports,read_policy")
            self.stand.backend, callers = bank.make_token(self.cluster, caller="backend", file="console-callers", append=True)
            self.stand.console = self.stand.start("console", callers=callers, console_database=self.cluster.conninfo(ROLE))
        self.client = self.connect(self.stand.console, self.stand.reader)

    def history(self, **asked):
        reply = self.client.post_json("/v1/history", asked)
        self.assertEqual(200, reply.status, reply.body)
        return reply.json["events"]

    def test_only_where_it_is_set_up(self):
        """[8.2.3d] A daemon without the console's database has neither its page nor its calls."""
        without = self.connect(self.stand.daemon)
        for method, path, status in (("GET", "/console", 404), ("GET", "/console/main.js", 404), ("GET", "/v1/caller", 404),
                                     ("GET", "/v1/policy", 404), ("GET", "/v1/reports/daily", 404), ("GET", "/v1/sessions", 405)):
            self.assertEqual(status, without.request(method, path).status, path)
        without = self.connect(self.stand.console, token="")
        page = Client(self.stand.console.url).request("GET", "/console")  # no call: openapi.yaml describes calls
        self.assertEqual((200, "no-store"), (page.status, page.headers["Cache-Control"]))
        self.assertEqual(404, without.request("GET", "/console/..%2Fmain.cpp").status)
        for path in ("/v1/caller", "/v1/policy", "/v1/reports/daily", "/v1/sessions"):
            self.assert_problem(without.request("GET", path), 401, "UNAUTHENTICATED")

    def test_rights_are_given_by_name(self):
        """[8.1.4b] A backend that may do everything else reads nobody's history: * does not include it."""
        backend = self.connect(self.stand.console, self.stand.backend)
        self.assertEqual(["quality"], backend.request("GET", "/v1/caller").json["routes"])
        for method, path in (("GET", "/v1/sessions"), ("POST", "/v1/history"), ("GET", "/v1/reports/daily"), ("GET", "/v1/policy")):
            self.assert_problem(backend.request(method, path, b"{}" if method == "POST" else None), 403, "FORBIDDEN")
        self.assertEqual(["list_sessions", "read_history", "read_reports", "read_policy", "quality"],
                         self.client.request("GET", "/v1/caller").json["routes"])

    def test_history(self):
        """[6.6i] [8.2.5b] Each field narrows what is found; newest first, and from a number on."""
        self.assertEqual(201, self.client.register("console/1", self.portrait(PERSON), channel=CHANNEL).status)
        wrong = self.client.verify("console/1", self.portrait(STRANGER), channel=CHANNEL, biz_id="console-biz")
        right = self.client.verify("console/1", self.portrait(PERSON), channel=CHANNEL)
        events = self.history(subject="console/1")
        self.assertEqual([("verify", "accept"), ("verify", "reject"), ("register", "accept")],
                         [(event["operation"], event["decision"]) for event in events])
        surrogate = events[0]["subject_surrogate"]
        for asked in ({"biz_id": "console-biz"}, {"event": str(wrong.json["event"])}, {"transaction": wrong.json["transaction_id"]},
                      {"subject": surrogate, "decision": "reject"}, {"subject": "console/1", "reason": "NO_MATCH"},
                      {"subject": "console/1", "operation": "verify", "before": str(right.json["event"])}):
            with self.subTest(asked):
                self.assertEqual([wrong.json["event"]], [event["event"] for event in self.history(**asked)])
        self.assertEqual([], self.history(subject="console/1", since="2020-01-01T00:00:00Z", until="2020-01-02T00:00:00Z"))
        self.assertEqual([], self.history(subject="console/1", channel="other"))
        self.assertEqual([], self.history(subject="nobody of this name"))
        # Cancelled, the name finds nothing and the surrogate finds all.
        self.client.cancel("console/1", channel=CHANNEL)
        self.assertEqual([], self.history(subject="console/1"))
        self.assertEqual(4, len([event for event in self.history(subject=surrogate) if event["operation"] != "settle"]))
        for field, value in (("event", "x"), ("event", "1; SELECT 1"), ("transaction", "x"), ("decision", "perhaps"), ("since", "sometime")):
            self.assert_problem(self.client.post_json("/v1/history", {field: value}), 400, "INVALID_VALUE")
        self.assert_problem(self.client.post_json("/v1/history", {"colour": "red"}), 400, "UNKNOWN_PART")

    def test_reports(self):
        """[6.6f] [6.6i] The reports are the database's, over a range or the last 30 days."""
        self.client.verify("console/2", self.portrait(STRANGER), channel=CHANNEL)
        for name in ("daily", "channel", "reason", "latency", "failures"):
            with self.subTest(name):
                reply = self.client.request("GET", f"/v1/reports/{name}")
                self.assertEqual(200, reply.status, reply.body)
                if name != "failures":
                    self.assertTrue(reply.json["rows"])
                empty = self.client.request("GET", f"/v1/reports/{name}?since=2020-01-01&until=2020-01-02")
                self.assertEqual([], [row for row in empty.json["rows"] if row.get("attempts")])
        self.assertIn("</html>", self.client.request("GET", "/v1/reports/page").json["html"])
        self.assert_problem(self.client.request("GET", "/v1/reports/salaries"), 404, "NOT_FOUND", "daily")
        self.assert_problem(self.client.request("GET", "/v1/reports/daily?since=2020-01-02&until=2020-01-01"), 400, "INVALID_VALUE")
        self.assert_problem(self.client.request("GET", "/v1/reports/daily?since=x"), 400, "INVALID_VALUE")

    def test_sessions_and_policy(self):
        """[6.3e] [6.6g] What became of sessions, and the rows that decide."""
        opened = self.client.open_session("console/3", "verify", channel=CHANNEL).json
        found = self.client.request("GET", f"/v1/sessions?state=CREATED&channel={CHANNEL}").json["sessions"]
        self.assertIn(opened["session"], [session["session"] for session in found])
        # Nothing here would let a reader go on with a session.
        self.assertEqual(set(), {"nonce", "challenge"} & set(found[0]))
        self.assertNotIn(opened["session"], str(self.client.request("GET", "/v1/sessions?state=FAILED").json))
        policy = self.client.request("GET", "/v1/policy").json
        self.assertIn(CHANNEL, [row["name"] for row in policy["channel"]])
        self.assertIn("ImageWidth", [row["measure"] for row in policy["channel_floor"]])

    def test_reads_with_a_role_of_its_own(self):
        """[8.1.4b] The flows' role cannot read the history, and the console's can call no flow."""
        role = self.cluster.value("SELECT rolname FROM pg_roles WHERE rolname = 'bank_visaged'")
        for reader, right in ((role, "f"), (ROLE, "t")):
            self.assertEqual(right, self.cluster.value(f"SELECT has_table_privilege('{reader}', 'visage.history', 'SELECT')"))
        self.assertEqual("f", self.cluster.value(
            f"SELECT has_function_privilege('{ROLE}', 'visage.verify(text, visage.probe, text, text, jsonb)', 'EXECUTE')"))

    def test_quality_tells_marks_when_asked(self):
        """[7.4b] Where the face's points and axes are, for who draws them; left out otherwise."""
        picture = self.portrait(PERSON)
        plain = self.client.post("/v1/quality", {"image": picture}).json
        self.assertNotIn("marks", plain)
        marked = self.client.post("/v1/quality", {"image": picture, "marks": "true"}).json
        face, marks = marked["face"], marked["marks"]
        self.assertEqual((478, 3), (len(marks["points"]), len(marks["axes"])))
        inside = [x for x, y in marks["points"] if face["x"] <= x <= face["x"] + face["width"]]
        self.assertGreater(len(inside), 400)
        self.assertNotEqual(marks["origin"], marks["axes"][0])
        self.assert_problem(self.client.post("/v1/quality", {"image": picture, "marks": "perhaps"}), 400, "INVALID_VALUE", "marks")

    def test_no_other_site_may_call(self):
        """[8.2.3d] What another site's page has a browser send is refused, for every call; other clients do not say."""
        for path in (registration("x") + "/references", "/v1/policy"):
            for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
                self.assertEqual(status, self.client.request("GET", path, None, {"Sec-Fetch-Site": site}).status, site)
