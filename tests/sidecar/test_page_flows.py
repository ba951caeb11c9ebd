"""Capture pages of sessions that name nobody: a person against an ID photo, and whose face it is. docs/capture-page.md"""
import json

import cv2
import numpy

from fixture import CHANNEL, PERSON, SAME_PERSON, STRANGER
from outside import APP, PagedAdapterTest
from paged import PageCalls
from rig import bank, pictures
from rig.client import registration
from searching import SearchTest

NOTICE = """
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text)
  VALUES (1, '{name}', ARRAY['default'], 'm', 's', 'two years', 'the text');
INSERT INTO visage.consent_rule (institution, required) VALUES (1, false) ON CONFLICT DO NOTHING;
"""


def live(name):
    """As large as a page's picture has to be."""
    picture = cv2.imdecode(numpy.frombuffer(pictures.portrait(name), numpy.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".png", cv2.resize(picture, (768, 768), interpolation=cv2.INTER_CUBIC))[1].tobytes()


class Compare(PagedAdapterTest):
    def compare_link(self, **page):
        return self.link(subject=None, purpose="compare", channel=APP, capture_page=page)

    def test_person_against_the_authoritys_photo(self):
        """[6.6f] [B.1] Who is on the photo passes and is recorded, who is not is told no more than "fail"; each is the session's one call."""
        for face, result, state in ((SAME_PERSON, "pass", "SUCCEEDED"), (STRANGER, "fail", "FAILED")):
            with self.subTest(face):
                subject = "flows/" + face
                session, token = self.compare_link()
                self.assertEqual("vouched", self.ask(session, subject).json["identity"])
                page = self.browser()
                opened = self.call(page, "open", token)
                self.assertEqual((200, "compare", []), (opened.status, opened.json["purpose"], opened.json["factors"]), opened.body)
                self.assertNotIn(subject, json.dumps(opened.json))
                told = self.call(page, "picture", opened.json["ticket"], image=live(face))
                self.assertEqual({"result": result}, told.json, told.body)
                self.assertEqual(state, self.client.request("GET", "/v1/sessions/" + session["session"]).json["state"])
                self.assertEqual(["t|f|t|t|f"] if result == "pass" else ["t|f|f|t|f"], self.records(subject))

    def test_registration_with_the_authoritys_photo(self):
        """[B.1] [6.6f] A capture on the page is compared with the photo of its session, and registered, in one call."""
        for face, event in ((SAME_PERSON, "register|accept|OK|t"), (STRANGER, "register|reject|NO_MATCH|t")):
            with self.subTest(face):
                subject = "flows/opens/" + face
                session, token = self.link(subject, "register", APP, scenario="remote_opening")
                self.show_code(session, subject)
                self.assertEqual("authority", self.ask(session, subject).json["photo"])
                page = self.browser()
                told = self.call(page, "picture", self.call(page, "open", token).json["ticket"], image=live(face))
                self.assertEqual((200, [event]), (told.status, self.events(session["session"])), told.body)

    def test_without_a_photo_nothing_is_spent(self):
        """[6.6d] [8.2.2b] A link opened before the photo came still opens after it; a photo that is lost ends the page before the camera."""
        session, token = self.compare_link()
        page = self.browser()
        self.assert_problem(self.call(page, "open", token), 400, "MISSING_PART", "photo")
        self.assertEqual("vouched", self.ask(session, "flows/late").json["identity"])
        opened = self.call(page, "open", token)
        self.assertEqual(200, opened.status, opened.body)
        ticket = opened.json["ticket"]
        self.assertEqual(200, self.call(page, "frame-key", ticket).status)
        restarted = self.browser(self.start("adapters-restarted", page_listen="127.0.0.1:0", **self.outside.settings))
        for name, parts in (("frame-key", {}), ("frame", {"image": live(PERSON)}), ("picture", {"image": live(PERSON)})):
            self.assert_problem(self.call(restarted, name, ticket, **parts), 400, "MISSING_PART", "photo")
        self.assertEqual("CREATED", self.client.request("GET", "/v1/sessions/" + session["session"]).json["state"])

    def test_a_photo_of_a_registration_that_was_lost(self):
        """[B.1] [6.6f] [8.2.3c] The page ends before the camera, with its link unspent; a photo that came later is not forgotten either."""
        restarted = self.browser(self.start("adapters-without", page_listen="127.0.0.1:0", **self.outside.settings))
        session, token = self.link("flows/lost", "register", APP)
        self.assertEqual("document", self.id_photo(session, "flows/lost", document=self.portrait(PERSON)).json["photo"])
        self.assert_problem(self.call(restarted, "open", token), 400, "MISSING_PART", "photo")
        opened = self.call(self.browser(), "open", token)
        self.assertEqual(200, opened.status, opened.body)
        for name, parts in (("frame-key", {}), ("frame", {"image": live(PERSON)}), ("picture", {"image": live(PERSON)})):
            self.assert_problem(self.call(restarted, name, opened.json["ticket"], **parts), 400, "MISSING_PART", "photo")
        session, token = self.link("flows/lost", "register", APP)
        opened = self.call(self.browser(), "open", token)
        self.show_code(session, "flows/lost")
        self.assertEqual("document", self.id_photo(session, "flows/lost", document=self.portrait(PERSON)).json["photo"])
        told = self.call(restarted, "picture", opened.json["ticket"], image=live(SAME_PERSON))
        self.assertEqual({"result": "ended", "advice": ["identity-unchecked"]}, told.json, told.body)

    def test_consent_is_whose_photo_it_is(self):
        """[8.2.2c] The session names nobody; consent is recorded for whom the photo was sent for, and nothing is taken before it."""
        self.cluster.psql(NOTICE.format(name="compared"))
        session, token = self.compare_link(notice="compared")
        self.assertEqual("vouched", self.ask(session, "flows/agrees").json["identity"])
        page = self.browser()
        opened = self.call(page, "open", token).json
        self.assert_problem(self.call(page, "frame", opened["ticket"], image=live(PERSON)), 403, "FORBIDDEN")
        agreed = self.call(page, "consent", opened["ticket"], digest=opened["notice"]["digest"], under_14="false")
        self.assertEqual(200, agreed.status, agreed.body)
        consents = self.client.request("GET", registration("flows/agrees") + "/consents").json["consents"]
        self.assertEqual(["compared"], [consent["notice"] for consent in consents])
        self.assertEqual("pass", self.call(page, "picture", agreed.json["ticket"], image=live(SAME_PERSON)).json["result"])


class Identify(PageCalls, SearchTest):
    def setUp(self):
        super().setUp()
        if not hasattr(self.stand, "searched"):
            tokens = [bank.make_token(self.cluster, caller=name, routes=routes, file="page-searchers", append=append)
                      for name, routes, append in (("searcher", "*,identify", False), ("bank", "*", True))]
            self.stand.searched = (self.stand.start("paged-search", callers=tokens[0][1], page_listen="127.0.0.1:0"),
                                   *(token for token, _ in tokens))
        self.daemon, searcher, bank_token = self.stand.searched
        self.client, self.bank = self.connect(self.daemon, searcher), self.connect(self.daemon, bank_token)
        for name in (PERSON, STRANGER):
            reply = self.client.register("flows/" + name, self.portrait(name), channel=CHANNEL)
            self.assertEqual(201, reply.status, reply.body)

    def shown(self, face, **page):
        """(session, what the page was told) of a person in front of the camera."""
        session, browser, opened = self.opened(subject=None, purpose="identify", capture_page=page)
        told = self.call(browser, "picture", opened["ticket"], image=live(face))
        self.assertEqual(200, told.status, told.body)
        after = self.call(browser, "state", opened["ticket"]).json
        return session["session"], (told.json, after)

    def session(self, client, session):
        return client.request("GET", "/v1/sessions/" + session).json

    def test_the_backend_alone_learns_who_it_is(self):
        """[6.6f] [6.1.2b] Found or not, the page is told the same; the caller that may identify reads the names, another does not."""
        found, told = self.shown(SAME_PERSON)
        missed, told_other = self.shown("men/9")
        self.assertEqual(({"result": "thanks"}, {"state": "FINISHED"}), told)
        self.assertEqual(told, told_other)
        seen = self.session(self.client, found)
        self.assertEqual(("SUCCEEDED", "accept", [{"rank": 1, "subject": "flows/" + PERSON}]),
                         tuple(seen[name] for name in ("state", "decision", "candidates")))
        seen = self.session(self.client, missed)
        self.assertEqual(("FAILED", "NO_MATCH", []), tuple(seen[name] for name in ("state", "reason", "candidates")))
        for session in (found, missed):
            self.assertNotIn("candidates", self.session(self.bank, session))

    def test_a_suspected_attack_is_thanked_too(self):
        """[6.1.2b] [6.6f] Nor does the page learn that nobody was looked for; the backend reads why."""
        self.cluster.psql(f"UPDATE visage.channel SET liveness_floor = 1 WHERE name = '{CHANNEL}'")
        self.addCleanup(self.cluster.psql, f"UPDATE visage.channel SET liveness_floor = NULL WHERE name = '{CHANNEL}'")
        session, told = self.shown(SAME_PERSON)
        self.assertEqual(({"result": "thanks"}, {"state": "FINISHED"}), told)
        seen = self.session(self.client, session)
        self.assertEqual(("FAILED", "refuse", "LIVENESS", []), tuple(seen[name] for name in ("state", "decision", "reason", "candidates")))

    def test_events_name_whom_the_session_names(self):
        """[6.6g] [6.6f] The stream ends with the names, for who may have them; a daemon that was not there knows them too."""
        found, _ = self.shown(SAME_PERSON)
        elsewhere = self.start("paged-search-again", callers=f"{self.cluster.stage}/page-searchers")
        for client, named in ((self.connect(elsewhere, self.stand.searched[1]), True), (self.bank, False)):
            stream = client.request("GET", f"/v1/sessions/{found}/events").body.decode()
            events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
            self.assertEqual(["SUCCEEDED"], [event["state"] for event in events])
            self.assertEqual([{"rank": 1, "subject": "flows/" + PERSON}] if named else None, events[-1].get("candidates"))

    def test_only_who_may_identify_gets_such_a_link(self):
        """[8.2.3d] All other routes together are not enough to have a page search for a face."""
        body = {"purpose": "identify", "channel": CHANNEL, "capture_page": {}}
        self.assert_problem(self.bank.post_json("/v1/sessions", body), 403, "FORBIDDEN", "identify")
        self.assertEqual(201, self.client.post_json("/v1/sessions", body).status)

    def test_who_left_is_not_named(self):
        """[5.3.4] [8.2.2c] Who was found and is gone before the backend asks is not named."""
        found, _ = self.shown(SAME_PERSON, max_candidates="2")
        self.assertEqual(1, len(self.session(self.client, found)["candidates"]))
        self.assertEqual("accept", self.client.cancel("flows/" + PERSON, channel=CHANNEL).decision)
        self.assertEqual([], self.session(self.client, found)["candidates"])

    def test_agreement_comes_first_and_is_in_nobodys_name(self):
        """[8.2.2c] Nothing is taken before the person agreed to the notice in force; there is nobody to record it for."""
        self.cluster.psql(NOTICE.format(name="searched"))
        session, browser, opened = self.opened(subject=None, purpose="identify", capture_page={"notice": "searched"})
        ticket, digest = opened["ticket"], opened["notice"]["digest"]
        self.assert_problem(self.call(browser, "picture", ticket, image=live(PERSON)), 403, "FORBIDDEN")
        self.assert_problem(self.call(browser, "consent", ticket, digest="00" * 32, under_14="false"), 400, "INVALID_VALUE")
        before = self.cluster.value("SELECT count(*) FROM visage.consent")
        agreed = self.call(browser, "consent", ticket, digest=digest, under_14="false")
        self.assertEqual(200, agreed.status, agreed.body)
        self.assertEqual(before, self.cluster.value("SELECT count(*) FROM visage.consent"))
        self.assertEqual({"result": "thanks"}, self.call(browser, "picture", agreed.json["ticket"], image=live(PERSON)).json)
