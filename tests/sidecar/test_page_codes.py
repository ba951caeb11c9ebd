"""One-time codes that a person asks for, and types into, the capture page. docs/capture-page.md, docs/adapters.md"""
import os

from fixture import CHANNEL
from memory import search
from outside import APP, PagedAdapterTest

TYPED = "typed-into-the-page-7K3q"  # a wrong code, unlike anything else
ASKS = {"channel": APP, "capture_page": {"factors": ["otp"]}}


class PageCodes(PagedAdapterTest):
    def sent_for(self, subject):
        return sum(asked["do"] == "send" and asked["subject"] == subject for asked in self.outside.codes.requests)

    def presented(self, session):
        return self.client.request("GET", "/v1/sessions/" + session["session"]).json["presented"]

    def test_a_code_is_the_factor_before_a_registration(self):
        """[6.6e] [8.2.2b] [B.2] Asked for on the page, typed into it, right once: then the camera's turn has come."""
        subject = "codes/opens"
        session, page, opened = self.opened(subject=subject, purpose="register", **ASKS)
        self.assertEqual(["otp"], opened["factors"])
        ticket = opened["ticket"]
        self.assert_problem(self.call(page, "frame-key", ticket), 403, "FORBIDDEN")
        self.assertNotIn(subject, self.outside.codes.sent)  # nobody's telephone rings before the person says so
        self.assertEqual({"sent": True}, self.call(page, "code", ticket).json)
        wrong = self.call(page, "factor", ticket, kind="otp", evidence=TYPED)
        self.assertEqual({"result": "retry", "advice": ["wrong-factor"]}, wrong.json)
        self.assertEqual(0, self.presented(session))
        right = self.outside.codes.sent[subject]
        shown = self.call(page, "factor", ticket, kind="otp", evidence=right)
        self.assertEqual((200, "shown"), (shown.status, shown.json["result"]), shown.body)
        self.assertEqual(1, self.presented(session))
        self.assertEqual(200, self.call(page, "frame-key", shown.json["ticket"]).status)
        self.assert_problem(self.call(page, "code", shown.json["ticket"]), 403, "FORBIDDEN")
        again = self.call(page, "factor", ticket, kind="otp", evidence=right)  # an old ticket, a used code
        self.assertEqual({"result": "retry", "advice": ["wrong-factor"]}, again.json)
        events = self.cluster.value(f"SELECT string_agg(reason::text, ' ' ORDER BY seq) FROM visage.event WHERE session = '{session['session']}' "
                                    "AND operation = 'present_factor'")
        self.assertEqual("WRONG_FACTOR OK WRONG_FACTOR", events)  # each try is the database's to count [8.2.5d]

    def test_on_the_device_that_took_over(self):
        """[6.5d] [6.6e] The page that hands over asks for no code; the one that claims the session does, under the nonce it was told."""
        subject = "codes/hands-over"
        session, page, opened = self.opened(subject=subject, purpose="register", channel=CHANNEL, context={"finish_channel": APP},
                                            capture_page={"factors": ["otp"]})
        self.assert_problem(self.call(page, "code", opened["ticket"]), 403, "FORBIDDEN")
        phone = self.browser()
        ticket = self.call(phone, "open", opened["hand_over"].split("#")[1]).json["ticket"]
        self.assertTrue(self.call(phone, "code", ticket).json["sent"])
        shown = self.call(phone, "factor", ticket, kind="otp", evidence=self.outside.codes.sent[subject])
        self.assertEqual((200, "shown"), (shown.status, shown.json["result"]), shown.body)
        self.assertEqual(1, self.presented(session))

    def test_what_was_typed_stays_nowhere(self):
        """[8.2.2h] A code is in a body alone: in no log, and when it is answered in no memory of the daemon."""
        _, page, opened = self.opened(subject="codes/typed", purpose="register", **ASKS)
        self.call(page, "code", opened["ticket"])
        self.call(page, "factor", opened["ticket"], kind="otp", evidence=TYPED)
        self.wait_for_log(self.daemon, "page_factor")
        self.assertNotIn(TYPED, self.daemon.log_text())
        if os.getuid() == 0:
            marks = {"witness": self.daemon.settings["source_key_file"].encode(), "code": TYPED.encode()}
            self.assertEqual({"witness"}, {line.split()[0] for line in search(self.daemon.process.pid, marks)})

    def test_a_telephone_is_not_flooded(self):
        """[8.2.5d] Whoever holds a page has one code sent in half a minute, however often it asks; another page has its own."""
        subject = "codes/flood"
        _, page, opened = self.opened(subject=subject, purpose="register", **ASKS)
        self.assertTrue(self.call(page, "code", opened["ticket"]).json["sent"])
        for _ in range(5):
            early = self.call(page, "code", opened["ticket"])
            self.assert_problem(early, 429, "RATE_LIMITED")
            self.assertIn(int(early.headers["Retry-After"]), range(1, 31))
        self.assertEqual(1, self.sent_for(subject))
        _, other, opened = self.opened(subject="codes/other", purpose="register", **ASKS)
        self.assertTrue(self.call(other, "code", opened["ticket"]).json["sent"])

    def test_only_in_its_turn(self):
        """[8.2.2b] [8.2.2c] No code before the person agreed, before what comes first, for another page, or for a session that is over."""
        self.cluster.psql("INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) "
                          "VALUES (1, 'codes', ARRAY['default'], 'm', 's', 't', 'text'); "
                          "INSERT INTO visage.consent_rule (institution, required) VALUES (1, false) ON CONFLICT DO NOTHING")
        subject = "codes/turn"
        for page_of, purpose in (({"factors": ["otp"], "notice": "codes"}, "register"), ({"factors": ["password", "otp"]}, "verify"),
                                 ({}, "verify")):
            with self.subTest(page_of):
                _, page, opened = self.opened(subject=subject, purpose=purpose, channel=APP, capture_page=page_of)
                self.assert_problem(self.call(page, "code", opened["ticket"]), 403, "FORBIDDEN")
                self.assert_problem(self.call(page, "factor", opened["ticket"], kind="otp", evidence=TYPED), 403, "FORBIDDEN")
        session, page, opened = self.opened(subject=subject, purpose="register", **ASKS)
        self.client.request("DELETE", "/v1/sessions/" + session["session"])
        self.assert_problem(self.call(page, "code", opened["ticket"]), 400, "INVALID_VALUE", "over")
        self.assertEqual(0, self.sent_for(subject))

    def test_a_service_that_is_away(self):
        """[6.6e] [8.2.5f] Neither yes nor no: nothing is shown, nothing counted, and the page may try again."""
        subject = "codes/away"
        session, page, opened = self.opened(subject=subject, purpose="register", **ASKS)
        self.outside.codes.fault = "error"
        self.assert_problem(self.call(page, "code", opened["ticket"]), 502, "UNDETERMINED")
        self.assert_problem(self.call(page, "factor", opened["ticket"], kind="otp", evidence=TYPED), 502, "UNDETERMINED")
        self.assertEqual("0", self.cluster.value(f"SELECT count(*) FROM visage.event WHERE session = '{session['session']}' "
                                                 "AND operation = 'present_factor'"))
        self.outside.codes.fault = "refuse"
        _, page, opened = self.opened(subject=subject, purpose="register", **ASKS)
        self.assertEqual({"sent": False}, self.call(page, "code", opened["ticket"]).json)

    def test_where_no_codes_are_sent(self):
        without = self.start("paged-without-codes", page_listen="127.0.0.1:0")
        reply = self.connect(without).open_session("codes/none", "register", **ASKS)
        self.assert_problem(reply, 400, "INVALID_VALUE", "otp-url")
