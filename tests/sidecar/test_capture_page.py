"""Consent, links of capture pages and events of sessions, over HTTP; the page itself is tests/browser's."""
import json
import threading
import time

from fixture import CHANNEL, LIMIT_S, PERSON, STRANGER, HttpTest
from rig import bank
from paged import PAGE, PageCalls
from rig.client import registration

NOTICE = """
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text)
  VALUES (1, 'paged', ARRAY['{other}', 'default'], 'm', 's', 'two years', 'the text');
-- Nobody else's flows here are asked for consent.
INSERT INTO visage.consent_rule (institution, required) VALUES (1, false) ON CONFLICT DO NOTHING;
"""


class Stream:
    """GET /v1/sessions/{session}/events, read by a thread."""

    def __init__(self, caller, session, token):
        self.head, self.events, self.times, self.beats, self.began = None, [], [], 0, threading.Event()
        caller.connection = caller._connect()
        caller.connection.request("GET", f"/v1/sessions/{session}/events", headers={"Authorization": f"Bearer {token}"})
        self.reply = caller.connection.getresponse()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        self.head = (self.reply.status, self.reply.headers["Content-Type"], self.reply.headers["Cache-Control"])
        for line in self.reply:
            if line.startswith(b"data: "):
                self.times.append(time.monotonic())
                self.events.append(json.loads(line[6:]))
                self.began.set()
            self.beats += line.startswith(b":")


class Pages(PageCalls, HttpTest):
    def setUp(self):
        super().setUp()
        if self.cluster.value("SELECT count(*) FROM visage.notice WHERE name = 'paged'") == "0":
            self.cluster.psql(NOTICE.format(other="payment"))
        if not hasattr(self.stand, "paged"):
            self.stand.paged = self.stand.start("paged", page_listen="127.0.0.1:0")
        self.daemon = self.stand.paged
        self.client = self.connect(self.daemon)

    def test_consent_over_http(self):
        """[8.2.2c] [8.2.5a] A notice is read, consent to a purpose of it given, listed and withdrawn."""
        notice = self.client.request("GET", "/v1/notices/paged").json
        self.assertEqual(("m", "s", "two years", "the text"), tuple(notice[part] for part in ("manner", "scope", "storage", "text")))
        self.assert_problem(self.client.request("GET", "/v1/notices/other"), 404, "NOT_FOUND")
        path = registration("consents/1") + "/consents"
        given = {"notice": "paged", "digest": notice["digest"], "purpose": "payment", "under_14": "false", "channel": CHANNEL}
        reply = self.client.post_json(path, given)
        self.assertEqual((201, ["payment"]), (reply.status, [c["purpose"] for c in reply.json["consents"]]), reply.body)
        listed = self.client.request("GET", path).json["consents"]
        self.assertEqual([(reply.json["consents"][0]["consent"], "paged", 1, False)],
                         [(c["consent"], c["notice"], c["version"], c["under_14"]) for c in listed])
        for wrong in ({"digest": "00" * 32}, {"digest": "zz"}, {"purpose": "other"}, {"under_14": "perhaps"}, {"under_14": "true"}):
            with self.subTest(wrong):
                self.assert_problem(self.client.post_json(path, {**given, **wrong}), 400, "INVALID_VALUE")
        self.assert_problem(self.client.post_json(path, {"notice": "paged"}), 400, "MISSING_PART", "digest")
        self.assertEqual(1, self.client.delete(path, purpose="payment", channel=CHANNEL).json["withdrawn"])
        self.assertEqual(0, self.client.delete(path).json["withdrawn"])
        self.assertEqual("withdrawn", self.client.request("GET", path).json["consents"][0]["ended_by"])

    def test_consent_routes_are_granted(self):
        """[8.1.4b] Who may list consents need not be who may give them."""
        token, callers = bank.make_token(self.cluster, caller="reader", routes="list_consents", file="consent-callers")
        daemon = self.start("consents", callers=callers)
        client, path = self.connect(daemon, token), registration("x") + "/consents"
        self.assertEqual([], client.request("GET", path).json["consents"])
        self.assert_problem(client.post_json(path, {}), 403, "FORBIDDEN")
        self.assert_problem(client.delete(path), 403, "FORBIDDEN")

    def test_pages_have_a_listener_of_their_own(self):
        """[8.2.3d] The API serves no page, the pages' listener no API; every answer of it keeps the browser strict."""
        self.assert_problem(self.client.request("GET", "/capture"), 404, "NOT_FOUND")
        browser = self.browser()
        for method, path, status in (("GET", "/capture", 200), ("GET", "/capture/main.js", 200), ("GET", "/capture/page.css", 200),
                                     ("GET", "/capture/..%2Fmain.cpp", 404), ("GET", "/v1/sessions/x", 404), ("GET", "/openapi.yaml", 404),
                                     ("POST", "/v1/verifications", 404), ("DELETE", "/capture", 405), ("POST", "/capture/open", 401)):
            with self.subTest(path):
                reply = browser.request(method, path, b"" if method == "POST" else None)
                self.assertEqual(status, reply.status, reply.body)
                policy = reply.headers["Content-Security-Policy"]
                self.assertIn("default-src 'none'", policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual(("no-store", "nosniff", "no-referrer"),
                                 tuple(reply.headers[name] for name in ("Cache-Control", "X-Content-Type-Options", "Referrer-Policy")))
        without = self.connect()
        self.assert_problem(without.open_session("paged", "verify", channel=CHANNEL, **PAGE), 400, "INVALID_VALUE", "page-listen")

    def test_what_a_page_may_be_for(self):
        for purpose, page in (("unlock", {}), ("compare", {"factors": ["password"]}), ("compare", {"max_candidates": "2"}),
                              ("verify", {"max_candidates": "2"}), ("identify", {"factors": ["totp"]}), ("identify", {"max_candidates": "0"}),
                              ("identify", {"max_candidates": "6"}), ("identify", {"max_candidates": 2}), ("verify", {"color": "red"}), ("verify", {"factors": "password"}),
                              ("verify", {"factors": ["face"]}), ("verify", {"factors": ["otp"]}), ("cancel", {"factors": ["totp", "totp"]}), ("verify", {"notice": ""}),
                              ("verify", {"purposes": ["payment"]}), ("verify", {"notice": "paged", "purposes": []}),
                              ("verify", {"notice": "other"}), ("verify", {"notice": "paged", "purposes": ["default", "other"]})):
            with self.subTest(purpose=purpose, page=page):
                subject = None if purpose in ("compare", "identify") else "paged"
                reply = self.client.post_json("/v1/sessions", {**({"subject": subject} if subject else {}), "purpose": purpose,
                                                               "channel": CHANNEL, "capture_page": page})
                self.assert_problem(reply, 400, "INVALID_VALUE")

    def test_a_link_opens_once_also_after_a_restart(self):
        """[6.4a] [8.2.2f] A link is of use once, to the daemon's source only, and as a link only; a restart forgets no page."""
        session, token = self.link()
        first = self.call(self.browser(), "open", token)
        self.assertEqual(200, first.status, first.body)
        self.assert_problem(self.call(self.browser(), "open", token), 403, "FORBIDDEN")
        restarted = self.start("paged-again", page_listen="127.0.0.1:0")
        again = self.browser(restarted)
        self.assert_problem(self.call(again, "open", token), 403, "FORBIDDEN")
        ticket = first.json["ticket"]
        self.assertEqual("CREATED", self.call(again, "state", ticket).json["state"])
        for wrong in ("", token, ticket[:-4] + "AAAA", ticket + "A", "A" * 40, "A", "=", "\xe9", ticket[:20], "A" * 30000):
            with self.subTest(wrong[:20]):
                self.assertIn(self.call(again, "state", wrong).status, (400, 401, 431))
        self.assert_problem(self.call(again, "open", ticket), 401, "UNAUTHENTICATED")
        self.assertEqual("FAILED", (self.call(again, "decline", ticket), self.call(again, "state", ticket))[1].json["state"])
        other = self.cluster.value("SELECT visage.add_capture_source('other')")
        key = self.cluster.write_private("other.key", other + "\n", owner="me")
        stranger = self.start("paged-other", source_key=key, page_listen="127.0.0.1:0")
        self.assert_problem(self.call(self.browser(stranger), "open", self.link()[1]), 401, "UNAUTHENTICATED")

    def test_nothing_is_taken_before_consent(self):
        """[8.2.2c] Without the person's consent a picture is refused, whatever the page does; with it the ledger names it."""
        self.assertEqual(201, self.client.register("agreed", self.portrait(PERSON), channel=CHANNEL).status)
        session, client, page = self.opened(subject="agreed", capture_page={"notice": "paged"})
        for name in ("frame", "picture"):
            self.assert_problem(self.call(client, name, page["ticket"], image=self.portrait(PERSON)), 403, "FORBIDDEN")
        self.assertEqual((["default"], "paged"), (page["purposes"], page["notice"]["notice"]))
        self.assert_problem(self.call(client, "consent", page["ticket"], digest="00" * 32, under_14="false"), 400, "INVALID_VALUE")
        agreed = self.call(client, "consent", page["ticket"], digest=page["notice"]["digest"], under_14="false")
        self.assertEqual(200, agreed.status, agreed.body)
        frame = self.call(client, "frame", agreed.json["ticket"], image=self.portrait(PERSON))
        self.assertEqual(200, frame.status, frame.body)
        self.assertEqual(1, len(self.client.request("GET", registration("agreed") + "/consents").json["consents"]))

    def test_factors_come_in_their_order(self):
        """[8.2.2b] [8.2.5c] A page can neither skip a factor nor show another; no capture and no end before its turn."""
        subject = "ordered"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        secret = "correct horse battery"
        path = registration(subject) + "/factors"
        self.assertEqual("accept", self.client.post_json(path, {"kind": "password", "secret": secret, "channel": CHANNEL}).decision)
        session, client, page = self.opened(subject=subject, purpose="cancel", capture_page={"factors": ["password", "face"]})
        self.assertEqual(["password", "face"], page["factors"])
        ticket = page["ticket"]
        for name, parts in (("frame", {"image": self.portrait(PERSON)}), ("picture", {"image": self.portrait(PERSON)}), ("cancel", {}),
                            ("frame-key", {}), ("factor", {"kind": "totp", "evidence": "123456"})):
            self.assert_problem(self.call(client, name, ticket, **parts), 403, "FORBIDDEN")
        wrong = self.call(client, "factor", ticket, kind="password", evidence="wrong horse battery")
        self.assertEqual({"result": "retry", "advice": ["wrong-factor"]}, wrong.json)
        shown = self.call(client, "factor", ticket, kind="password", evidence=secret)
        self.assertEqual("shown", shown.json["result"], shown.body)
        self.assert_problem(self.call(client, "cancel", shown.json["ticket"]), 403, "FORBIDDEN")
        # Now the face's turn has come; this picture is too small for a page.
        face = self.call(client, "picture", shown.json["ticket"], image=self.portrait(PERSON))
        self.assertEqual({"result": "retry", "advice": ["larger-picture"]}, face.json)
        self.assert_problem(self.call(client, "factor", shown.json["ticket"], kind="password", evidence=secret), 403, "FORBIDDEN")
        self.assertEqual(1, len(self.client.request("GET", registration(subject) + "/references").json["references"]))

    def test_a_skipped_factor_is_the_databases_to_refuse(self):
        """[8.2.5c] Whatever a page asks for, the flow counts: one factor of two cancels nobody."""
        subject = "counted"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        _, client, page = self.opened(subject=subject, purpose="cancel", capture_page={"factors": []})
        refused = self.call(client, "cancel", page["ticket"])
        self.assertEqual({"result": "ended", "advice": ["factor-missing"]}, refused.json)
        self.assertEqual(1, len(self.client.request("GET", registration(subject) + "/references").json["references"]))

    def test_page_learns_no_reason(self):
        """[6.1.2b] What the page is told holds no score, no reason, no name of a person."""
        self.assertEqual(201, self.client.register("mute", self.portrait(PERSON), channel=CHANNEL).status)
        _, client, page = self.opened(subject="mute")
        reply = self.call(client, "picture", page["ticket"], image=self.portrait(STRANGER))
        self.assertEqual(200, reply.status, reply.body)
        self.assertLessEqual(set(reply.json), {"result", "advice", "retry_after"})
        self.assertNotIn(b"mute", reply.body + json.dumps(page).encode())

    def listen(self, session):
        """A stream of events, heard by a thread: what came of it, and the times at which."""
        stream = Stream(self.connect(self.daemon), session["session"], self.stand.token)
        self.addCleanup(stream.thread.join)
        self.assertTrue(stream.began.wait(LIMIT_S))
        return stream

    def told_at_once(self, change, state, **more):
        """That change(client, page), made while a stream is open, is told within a second of it."""
        session, client, page = self.opened(**more)
        stream = self.listen(session)
        self.wait_for(self.listener)
        before = time.monotonic()
        change(client, page)
        self.wait_for(lambda: len(stream.events) > 1)
        self.assertEqual(state, stream.events[1]["state"])
        self.assertLess(stream.times[1] - before, 1)

    def test_events(self):
        """[6.6g] A backend follows a session to its end without asking again."""
        session, client, page = self.opened()
        stream = self.listen(session)
        self.assertEqual(200, self.call(client, "decline", page["ticket"]).status)
        stream.thread.join(LIMIT_S)
        self.assertFalse(stream.thread.is_alive())
        self.assertEqual((200, "text/event-stream", "no-store"), stream.head)
        self.assertEqual(["CREATED", "FAILED"], [event["state"] for event in stream.events])
        self.assert_problem(self.client.request("GET", "/v1/sessions/" + "0" * 36 + "/events"), 400, "INVALID_VALUE")
        self.assert_problem(self.client.request("GET", "/v1/sessions/x/events"), 404, "NOT_FOUND")

    def listener(self):
        """Process id of the connection that listens for all streams; there is one at most."""
        return self.cluster.value("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE state = 'idle' AND query = 'LISTEN visage_session'")

    def decline(self, client, page):
        self.assertEqual(200, self.call(client, "decline", page["ticket"]).status)

    def test_events_come_when_the_database_says_so(self):
        """[6.6g] The state is told within a second of its change, of many sessions over one connection."""
        for number in range(4):
            self.told_at_once(self.decline, "FAILED", subject=f"prompt/{number}")
        self.assertNotIn(" ", self.listener())

    def test_the_end_of_its_time_is_told(self):
        """[6.6g] The database announces no session that runs out: it is told when it does, and not at some later look."""
        session, _, _ = self.opened(subject="runs-out")
        self.cluster.psql(f"UPDATE visage.session SET expires_at = clock_timestamp() + interval '3.5 s' WHERE id = '{session['session']}'")
        before = time.monotonic()
        stream = self.listen(session)
        stream.thread.join(LIMIT_S)
        self.assertEqual(["CREATED", "EXPIRED"], [event["state"] for event in stream.events])
        self.assertLess(stream.times[-1] - before, 3.5 + 1)

    def test_a_shown_factor_is_told(self):
        """[6.6g] [6.6e] A backend that gave out a page sees that its person has begun."""
        subject = "told"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        secret = "correct horse battery"
        path = registration(subject) + "/factors"
        self.assertEqual("accept", self.client.post_json(path, {"kind": "password", "secret": secret, "channel": CHANNEL}).decision)

        def show(client, page):
            shown = self.call(client, "factor", page["ticket"], kind="password", evidence=secret)
            self.assertEqual("shown", shown.json["result"], shown.body)
            self.addCleanup(self.decline, client, shown.json)

        self.told_at_once(show, "IN_PROGRESS", subject=subject, purpose="cancel", capture_page={"factors": ["password", "face"]})

    def test_a_lost_listener_is_mended(self):
        """[6.6g] [8.2.3c] The connection breaks: what happens meanwhile is told late, and the next thing at once again."""
        session, client, page = self.opened(subject="mended")
        stream = self.listen(session)
        lost = self.wait_for(self.listener)
        self.assertEqual("t", self.cluster.value(f"SELECT pg_terminate_backend({lost}, {1000 * LIMIT_S})"))
        self.decline(client, page)
        stream.thread.join(LIMIT_S)
        self.assertEqual("FAILED", stream.events[-1]["state"])
        self.assertNotEqual(lost, self.wait_for(self.listener))
        self.told_at_once(self.decline, "FAILED")

    def test_events_give_way(self):
        """[8.2.3c] A stream does not keep a daemon from stopping."""
        daemon = self.start("events-stop", page_listen="127.0.0.1:0")
        session, _ = self.link()
        client = self.connect(daemon)
        client.connection = client._connect()
        client.connection.request("GET", f"/v1/sessions/{session['session']}/events", headers={"Authorization": f"Bearer {self.stand.token}"})
        reply = client.connection.getresponse()
        self.assertEqual(b"retry: 1000\n", reply.readline())
        self.assertIn(b"event: state", reply.readline())
        self.assertIn(b"CREATED", reply.readline())
        self.assertEqual(0, daemon.stop())
