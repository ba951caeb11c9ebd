"""Services of others: an authority that is asked about a person, and the bank's one-time codes. docs/adapters.md

What answers here are stand-ins (tools/rig/services.py), over real TLS with client certificates.
"""
import hashlib
import os
import tempfile
import threading
import time
import unittest

from fixture import CHANNEL, PERSON, SAME_PERSON, STRANGER
from memory import needles, search
from outside import APP, AUTHORITY, FIELDS, NAME, NUMBER, AdapterTest
from rig import bank, pictures
from rig.certificates import Authority
from rig.client import registration
from rig.cluster import Failed


class Opening(AdapterTest):
    def test_account_is_opened(self):
        """[B.1] [5.3.1] [6.6d] [6.6f] [8.2.2b] A code, the authority's word, its photo against the very face that is registered."""
        subject = "adapters/opens"
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject).code)
        reply = self.ask(opened, subject)
        self.assertEqual((200, "vouched", "authority", ["id_number", "name"]),
                         (reply.status, *(reply.json[name] for name in ("identity", "photo", "fields"))), reply.body)
        self.assertEqual(["t|t||f|f"], self.records(subject))  # until its photo was compared nothing is known of that
        self.assertEqual("stand-in authority, not a real one", self.outside.identity.server.RequestHandlerClass.version_string(
            type("", (), {"server": self.outside.identity.server})()))
        kept = self.kept()
        done = self.register(opened, subject)
        self.assertEqual((201, "accept"), (done.status, done.decision), done.body)
        self.assertEqual(["t|t|t|f|t"], self.records(subject))
        self.assertEqual("register|accept|OK|t", self.events(opened["session"])[-1])
        self.assertEqual(kept - 1, self.kept())
        digest = self.cluster.value("SELECT encode(answer_digest, 'hex') FROM visage.authority_record r JOIN visage.subject s ON s.id = r.subject "
                                    f"WHERE s.external_id = '{subject}'")
        self.assertEqual(hashlib.sha256(reply.json["statement"].encode()).hexdigest(), digest)
        values = hashlib.sha256(f"id_number={NUMBER}\nname={NAME}\n".encode()).hexdigest()
        self.assertEqual("t", self.cluster.value(f"SET ROLE {bank.ROLE}; SELECT visage.vouched_fields_match(record, '\\x{values}') "
                                                 f"FROM visage.list_authority_checks('{subject}')"))
        self.assertEqual("", self.cluster.value("SELECT * FROM visage.integrity()"))
        asked = self.outside.identity.requests[-1]
        self.assertEqual(("visage/identity/1", FIELDS), (asked["protocol"], asked["fields"]))
        self.assertNotIn(subject, str(asked))  # the authority need not know how the bank calls its customers

    def test_somebody_elses_face(self):
        """[B.1] [6.6f] Who is not on the authority's photo is not registered, and the record says so; who is, is."""
        subject = "adapters/impostor"
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("vouched", self.ask(opened, subject).json["identity"])
        reply = self.register(opened, subject, STRANGER)
        self.assertEqual((200, "reject", "NO_MATCH"), (reply.status, reply.decision, reply.code), reply.body)
        self.assertEqual((["t|t||f|f"], ["register|reject|NO_MATCH|t"]), (self.records(subject), self.events(opened["session"])))
        self.assertEqual("UNKNOWN_SUBJECT", self.client.verify(subject, self.portrait(STRANGER), channel=CHANNEL).code)
        # The session is over with it: who tries again begins again.
        self.assertEqual("FAILED", self.client.request("GET", "/v1/sessions/" + opened["session"]).json["state"])
        self.assertNotEqual("accept", self.register(opened, subject).decision)
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("vouched", self.ask(opened, subject).json["identity"])
        self.assertEqual(201, self.register(opened, subject).status)

    def test_poor_capture_is_taken_again(self):
        """[6.1.3b] [B.1] What was not compared is captured once more, in the same session and with the same photo."""
        subject = "adapters/again"
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("vouched", self.ask(opened, subject).json["identity"])
        floor = f"UPDATE visage.channel_floor SET minimum = %d WHERE channel = '{APP}' AND measure = 'ImageWidth'"
        self.cluster.psql(floor % 4000)
        self.addCleanup(self.cluster.psql, floor % 512)
        self.assertEqual(("refuse", "QUALITY"), (lambda r: (r.decision, r.code))(self.register(opened, subject)))
        self.assertEqual(["t|t||f|f"], self.records(subject))
        self.cluster.psql(floor % 512)
        self.assertEqual(201, self.register(opened, subject).status)
        self.assertEqual(["t|t|t|f|t"], self.records(subject))

    def test_policy_does_not_matter_for_that(self):
        """[6.6f] Also where no rule asks for an authority, the photo that was sent for a session is compared before it registers."""
        subject = "adapters/uploaded"
        opened = self.open(subject, scenario="default")
        self.show_code(opened, subject)
        reply = self.id_photo(opened, subject, document=self.portrait(PERSON))
        self.assertEqual(("unasked", "document", None), tuple(reply.json[name] for name in ("identity", "photo", "statement")), reply.body)
        self.assert_problem(self.register(opened, "adapters/other", SAME_PERSON, "default"), 400, "INVALID_VALUE", "subject")
        self.assertEqual("NO_MATCH", self.register(opened, subject, STRANGER, "default").code)
        self.assertNotEqual("accept", self.register(opened, subject, STRANGER, "default").decision)
        opened = self.open(subject, scenario="default")
        self.show_code(opened, subject)
        self.assertEqual("document", self.id_photo(opened, subject, document=self.portrait(PERSON)).json["photo"])
        self.assertEqual(201, self.register(opened, subject, SAME_PERSON, "default").status)
        self.assertEqual([], self.records(subject))

    def test_denied(self):
        """[6.6d] What the authority does not vouch for is recorded, and registers nobody; an uploaded photo changes nothing."""
        subject, kept = "adapters/denied", self.kept()
        opened = self.open(subject)
        self.show_code(opened, subject)
        reply = self.id_photo(opened, subject, authority=AUTHORITY, fields={**FIELDS, "name": "Li Si"}, document=self.portrait(PERSON))
        self.assertEqual((200, "denied", None, []), (reply.status, reply.json["identity"], reply.json["photo"], reply.json["fields"]), reply.body)
        self.assertEqual(["f|f||f|f"], self.records(subject))
        self.assertEqual(kept, self.kept())
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject).code)

    def test_authority_without_a_photo(self):
        """[B.1] Then an uploaded one is compared, and does not count as the authority's."""
        subject = "adapters/no-photo"
        self.outside.people[NUMBER] = (FIELDS, None)
        opened = self.open(subject)
        self.show_code(opened, subject)
        reply = self.id_photo(opened, subject, authority=AUTHORITY, fields=FIELDS, document=self.portrait(PERSON))
        self.assertEqual(("vouched", "document"), (reply.json["identity"], reply.json["photo"]), reply.body)
        self.assertIsNotNone(reply.json["record"])
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject).code)  # photo_required
        self.assertEqual("vouched", self.ask(opened, subject).json["identity"])

    def test_compare_with_the_photo(self):
        """[6.6f] A session of compare takes its document from what was sent before; once."""
        opened = self.open("", "compare", "default")
        self.assertEqual("vouched", self.ask(opened, "adapters/compared").json["identity"])
        within = {"image": self.portrait(SAME_PERSON), "session": opened["session"], "nonce": opened["nonce"], "channel": APP}
        reply = self.client.post("/v1/comparisons", within)
        self.assertEqual("accept", reply.decision, reply.body)
        self.assertEqual(["t|f|t|t|f"], self.records("adapters/compared"))
        self.assert_problem(self.client.post("/v1/comparisons", within), 400, "MISSING_PART", "document")

    def test_a_photo_that_was_lost(self):
        """[6.6d] [8.2.3c] A daemon that has not got the photo, as after a restart, registers nobody where policy asks for the comparison."""
        subject = "adapters/lost"
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("authority", self.ask(opened, subject).json["photo"])
        elsewhere = self.connect(self.start("adapters-again", **self.outside.settings))
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject, client=elsewhere).code)
        # Also where no rule asks for the photo: the authority had one.
        self.cluster.psql("UPDATE visage.authority_rule SET photo_required = false WHERE scenario = 'remote_opening'")
        self.addCleanup(self.cluster.psql, "UPDATE visage.authority_rule SET photo_required = true WHERE scenario = 'remote_opening'")
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject, client=elsewhere).code)
        self.assertEqual(201, self.register(opened, subject).status)

    def test_a_photo_that_was_lost_where_policy_asks_for_none(self):
        """[6.6f] [B.1] [8.2.3c] That a photo was sent is in the database: without it nobody is registered, and it is sent again."""
        subject = "adapters/lost-upload"
        opened = self.open(subject, scenario="default")
        self.show_code(opened, subject)
        self.assertEqual("document", self.id_photo(opened, subject, document=self.portrait(PERSON)).json["photo"])
        self.client = self.connect(self.start("adapters-lost", **self.outside.settings))
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject, STRANGER, "default").code)
        self.assertEqual("document", self.id_photo(opened, subject, document=self.portrait(PERSON)).json["photo"])
        self.assertEqual(201, self.register(opened, subject, SAME_PERSON, "default").status)

    def test_photo_in_registration(self):
        """[6.6d] [B.1] [5.3.1] Where policy wants the photo compared in the registration itself, that is what registers, in one call."""
        self.cluster.psql("UPDATE visage.authority_rule SET photo_in_registration = true WHERE scenario = 'remote_opening'")
        self.addCleanup(self.cluster.psql, "UPDATE visage.authority_rule SET photo_in_registration = false WHERE scenario = 'remote_opening'")
        subject = "adapters/one-call"
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("IDENTITY_UNCHECKED", self.register(opened, subject).code)
        self.assertEqual("authority", self.ask(opened, subject).json["photo"])
        self.assertEqual(201, self.register(opened, subject).status)
        self.assertEqual(["register|refuse|IDENTITY_UNCHECKED|f", "register|accept|OK|t"], self.events(opened["session"]))

    def test_made_again(self):
        """[6.5d] [6.6f] A registration with an ID photo that is sent again is one, whether it was made or not, and also where the photo is gone."""
        for subject, face, decision in (("adapters/twice", SAME_PERSON, "accept"), ("adapters/never", STRANGER, "reject")):
            with self.subTest(decision):
                opened = self.open(subject)
                self.show_code(opened, subject)
                self.assertEqual("authority", self.ask(opened, subject).json["photo"])
                first = self.register(opened, subject, face, biz_id=subject)
                again = self.register(opened, subject, face, biz_id=subject)
                elsewhere = self.register(opened, subject, face, biz_id=subject, client=self.connect(self.stand.daemon))
                self.assertEqual(decision, first.decision, first.body)
                self.assertEqual([first.json["transaction_id"]] * 2, [reply.json["transaction_id"] for reply in (again, elsewhere)])
                self.assertEqual([first.status] * 2, [again.status, elsewhere.status])
                self.assertEqual(1, len(self.events(opened["session"])))
                self.assert_problem(self.register(opened, subject, PERSON, biz_id=subject), 400, "INVALID_VALUE", "biz_id")

    def test_made_twice_at_once(self):
        """[6.5d] Of two that come together one registers, and both are told so."""
        subject = "adapters/at-once"
        opened = self.open(subject)
        self.show_code(opened, subject)
        self.assertEqual("authority", self.ask(opened, subject).json["photo"])
        replies = []
        threads = [threading.Thread(target=lambda client: replies.append(self.register(opened, subject, biz_id=subject, client=client)),
                                    args=(self.connect(self.daemon),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({(201, "accept")}, {(reply.status, reply.decision) for reply in replies})
        self.assertEqual(1, len({reply.json["transaction_id"] for reply in replies}))
        self.assertEqual(["register|accept|OK|t"], self.events(opened["session"]))

    def test_photo_goes_with_its_session(self):
        """[8.2.4d] What is kept of an ID photo is gone when the session is over, used or not."""
        lifetime = "UPDATE visage.session_policy SET lifetime = '{} seconds' WHERE institution = 1"
        self.addCleanup(self.cluster.psql, lifetime.format(600))
        for seconds in (10, 40, 160):  # where the photo is not there within the one, within the next
            self.cluster.psql(lifetime.format(seconds))
            kept, opened, began = self.kept(), self.open("", "compare", "default"), time.monotonic()
            reply = self.id_photo(opened, "adapters/expires", document=self.portrait(PERSON))
            now = self.kept()
            if time.monotonic() - began < seconds:
                break
        self.assertEqual(("document", kept + 1), (reply.json["photo"], now))
        self.wait_for(lambda: self.kept() == kept, "its end")

    def test_photos_that_do_not_serve(self):
        opened = self.open("", "compare", "default")
        self.assert_problem(self.id_photo(opened, "x", document=pictures.faceless()), 422, "NO_FACE")
        self.assert_problem(self.id_photo(opened, "x", document=b"\xff\xd8\xff\xe0 no picture"), 422, "UNREADABLE_IMAGE")
        self.assert_problem(self.id_photo(opened, "x", document=self.dark()), 422, "POOR_PHOTO", "UnderExposurePrevention")
        for photo in (pictures.faceless(), self.dark(), b"no picture"):
            self.outside.people[NUMBER] = (FIELDS, photo)
            self.assert_undetermined(self.ask(opened, "x"), "UNUSABLE_PHOTO")

    def dark(self):
        import cv2
        import numpy
        picture = cv2.imdecode(numpy.frombuffer(self.portrait(PERSON), numpy.uint8), cv2.IMREAD_COLOR)
        return cv2.imencode(".png", (picture * 0.08).astype(numpy.uint8))[1].tobytes()

    def assert_undetermined(self, reply, reason):
        self.assert_problem(reply, 502, "UNDETERMINED")
        self.assertEqual(reason, reply.json["reason"], reply.body)

    def test_wrong_parts(self):
        opened = self.open("adapters/parts")
        verify = self.open("adapters/parts", "verify")
        ask = {"authority": AUTHORITY, "fields": FIELDS}
        for words, reply in (("together", self.id_photo(opened, "x", authority=AUTHORITY)), ("together", self.id_photo(opened, "x", fields=FIELDS)),
                             ("document", self.id_photo(opened, "x"))):
            self.assert_problem(reply, 400, "MISSING_PART", words)
        for fields in ({}, {"Name": "x"}, {"name": ""}, {"name": 1}, {"name": "a\nb"}, {"name": "x" * 257}, {f"f{i}": "x" for i in range(33)}):
            self.assert_problem(self.ask(opened, "x", fields or {"": ""}), 400, "INVALID_VALUE")
        self.assert_problem(self.id_photo(opened, "x", authority="other", fields=FIELDS), 400, "INVALID_VALUE", "authority")
        self.assert_problem(self.id_photo(verify, "x", **ask), 400, "INVALID_VALUE", "register or compare")
        self.assert_problem(self.id_photo({"session": "0" * 36}, "x", **ask), 400, "INVALID_VALUE")
        self.assert_problem(self.id_photo({"session": "x"}, "x", **ask), 404, "NOT_FOUND")
        self.client.request("DELETE", "/v1/sessions/" + opened["session"])
        self.assert_problem(self.id_photo(opened, "x", **ask), 400, "INVALID_VALUE", "over")
        without = self.connect()
        reply = without.post_json("/v1/id-photos", {"session": verify["session"], "subject": "x", **ask})
        self.assert_problem(reply, 400, "INVALID_VALUE", "authority-url")


class Faults(AdapterTest):
    """[6.6d] [8.2.5f] Whatever is wrong with an answer, it is neither yes nor no: nothing recorded, kept or registered."""

    assert_undetermined = Opening.assert_undetermined

    def setUp(self):
        super().setUp()
        self.subject = "adapters/faults"
        self.opened = self.open(self.subject)

    def check(self, reason):
        before = self.records(self.subject), self.kept()
        reply = self.ask(self.opened, self.subject)
        self.assert_undetermined(reply, reason)
        self.assertEqual(before, (self.records(self.subject), self.kept()))
        for value in (NUMBER, "Zhang"):
            self.assertNotIn(value, self.daemon.log_text() + reply.body.decode())

    def test_answers(self):
        self.assertEqual("vouched", self.ask(self.opened, self.subject).json["identity"])  # the one that is replayed
        for fault, reason in (("wrong-signature", "WRONG_SIGNATURE"), ("replayed", "REPLAYED_ANSWER"), ("other-request", "REPLAYED_ANSWER"),
                              ("other-nonce", "REPLAYED_ANSWER"), ("stale", "STALE_ANSWER"), ("future", "STALE_ANSWER"),
                              ("other-subject", "WRONG_SUBJECT"), ("other-authority", "WRONG_AUTHORITY"), ("undecided", "UNDECIDED"),
                              ("other-photo", "WRONG_PHOTO"), ("no-photo", "WRONG_PHOTO"), ("vouches-for-more", "MALFORMED_ANSWER"),
                              ("garbage", "MALFORMED_ANSWER"), ("cut", "TLS_FAILED"), ("endless", "MALFORMED_ANSWER"), ("error", "HTTP_STATUS")):
            with self.subTest(fault):
                self.outside.identity.fault = fault
                self.check(reason)
        self.outside.identity.fault = None
        self.show_code(self.opened, self.subject)

    def test_time(self):
        """[8.2.3c] The limit is for the whole exchange: also a service that always has one more byte is not waited for."""
        self.be_hasty()
        for fault in ("silent", "drip"):
            with self.subTest(fault):
                self.outside.identity.fault = fault
                reply = self.ask(self.opened, self.subject)
                self.assert_undetermined(reply, "TIMED_OUT")
                self.assertLess(reply.ms, 10000)

    def test_a_service_that_hangs_takes_no_more_than_its_share(self):
        """[8.2.3c] Past sixteen that wait for it a call is turned away at once, and all others are answered."""
        daemon = self.start("adapters-hang", **{**self.outside.settings, "authority_timeout_ms": 60000})
        body = {"session": self.opened["session"], "subject": self.subject, "authority": AUTHORITY, "fields": FIELDS}
        self.outside.identity.fault, before, replies = "silent", len(self.outside.identity.requests), []
        threads = [threading.Thread(target=lambda: replies.append(self.connect(daemon).post_json("/v1/id-photos", body))) for _ in range(16)]
        try:
            for thread in threads:
                thread.start()
            self.wait_for(lambda: len(self.outside.identity.requests) >= before + 16, "sixteen that wait")
            client = self.connect(daemon)
            self.assert_undetermined(client.post_json("/v1/id-photos", body), "TOO_MANY")
            self.assertEqual(200, client.request("GET", "/v1/sessions/" + self.opened["session"]).status)
            self.assertEqual((before + 16, []), (len(self.outside.identity.requests), replies))
        finally:
            self.outside.identity.released.set()
            for thread in threads:
                thread.join()
            self.outside.replace()
        self.assertEqual({502}, {reply.status for reply in replies})
        self.assertEqual("vouched", client.post_json("/v1/id-photos", body).json["identity"])

    def test_certificates(self):
        """[8.2.3a] Both sides are authenticated, before anything about a person is sent."""
        other = Authority(tempfile.mkdtemp(dir=self.outside.directory), "other")
        expired = self.outside.authority.issue("expired", "server", days=0)
        nameless = self.outside.authority.issue("nameless", "client")
        try:
            for pair in (expired, nameless, other.issue("service", "server")):
                self.outside.replace(pair=pair)
                self.check("UNTRUSTED_CERTIFICATE")
            self.outside.replace(clients=other)  # it does not know us
            self.check("TLS_FAILED")
            self.assertEqual([], self.outside.identity.requests)
        finally:
            self.outside.replace()
        self.assertEqual("vouched", self.ask(self.opened, self.subject).json["identity"])

    def test_nobody_there(self):
        self.outside.identity.close()
        try:
            self.check("UNREACHABLE")
        finally:
            self.outside.identity = self.outside.serve(self.outside.identity.server.server_address[1])
        self.assertEqual("vouched", self.ask(self.opened, self.subject).json["identity"])

    def test_settings(self):
        """[8.2.3a] The daemon does not start with an authority that it could not authenticate."""
        good = self.outside.settings
        for words, change in (("https://", {"authority_url": "http://127.0.0.1:1/x"}), ("https://", {"otp_url": "https://a@b/x"}),
                              ("authority-ca", {"authority_ca": ""}), ("otp-key", {"otp_key": ""}), ("public-key", {"authority_public_key": ""}),
                              ("public key", {"authority_public_key": self.outside.us[0]}), ("cannot read", {"otp_ca": "/nowhere"})):
            with self.subTest(words), self.assertRaisesRegex(Failed, words):
                self.start("adapters-wrong", **{**good, **change})


class Codes(AdapterTest):
    assert_undetermined = Opening.assert_undetermined

    def test_wrong_codes_count(self):
        """[8.2.5d] [6.6e] [B.2] A code that is wrong is an attempt in the database; one that is right counts for its session."""
        subject = "adapters/code"
        opened = self.open(subject)
        self.assertTrue(self.code(opened, subject).json["sent"])
        right = self.outside.codes.sent[subject]
        reply = self.code(opened, subject, "/check", code="x" + right)
        self.assertEqual((200, "reject", "WRONG_FACTOR"), (reply.status, reply.decision, reply.code), reply.body)
        reply = self.code(opened, subject, "/check", code=right, biz_id="code-1")
        self.assertEqual(("accept", "code-1"), (reply.decision, reply.json["biz_id"]), reply.body)
        self.assertEqual("WRONG_FACTOR", self.code(opened, subject, "/check", code=right).code)  # once
        events = self.cluster.value(f"SELECT string_agg(reason::text, ' ' ORDER BY seq) FROM visage.event WHERE session = '{opened['session']}' "
                                    "AND operation = 'present_factor'")
        self.assertEqual("WRONG_FACTOR OK WRONG_FACTOR", events)
        self.assertNotIn(right, self.daemon.log_text())

    def test_faults(self):
        """[6.6e] [8.2.5f] No answer shows no factor: neither one that did not come nor one that somebody else signed."""
        subject = "adapters/code-faults"
        opened = self.open(subject)
        for fault, reason in (("other-request", "REPLAYED_ANSWER"), ("error", "HTTP_STATUS"), ("garbage", "MALFORMED_ANSWER"), ("silent", "TIMED_OUT")):
            with self.subTest(fault):
                if fault == "silent":
                    self.be_hasty()
                self.outside.codes.fault = fault
                self.assert_undetermined(self.code(opened, subject), reason)
                self.assert_undetermined(self.code(opened, subject, "/check", code="123456"), reason)
        self.outside.codes.fault = "refuse"
        self.assertFalse(self.code(opened, subject).json["sent"])
        for fault in ("other-subject", "wrong-signature"):
            with self.subTest(fault):
                self.outside.codes.fault = None
                self.code(opened, subject)
                self.outside.codes.fault = fault
                reply = self.code(opened, subject, "/check", code=self.outside.codes.sent[subject])
                self.assertEqual(("reject", "WRONG_FACTOR"), (reply.decision, reply.code), reply.body)
        self.assertEqual(0, self.client.request("GET", "/v1/sessions/" + opened["session"]).json["presented"])

    def test_wrong_parts(self):
        opened = self.open("adapters/code-parts")
        self.assert_problem(self.client.post_json(f"/v1/sessions/{opened['session']}/codes", {"subject": "x"}), 400, "MISSING_PART", "nonce")
        self.assert_problem(self.code({**opened, "nonce": "zz"}, "x"), 400, "INVALID_VALUE", "nonce")
        self.assert_problem(self.code({**opened, "session": "x"}, "x"), 404, "NOT_FOUND")
        self.client.request("DELETE", "/v1/sessions/" + opened["session"])
        self.assert_problem(self.code(opened, "x"), 400, "INVALID_VALUE", "over")
        reply = self.connect().post_json(f"/v1/sessions/{opened['session']}/codes", {"subject": "x", "nonce": opened["nonce"]})
        self.assert_problem(reply, 400, "INVALID_VALUE", "otp-url")


@unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
class Memory(AdapterTest):
    def test_nothing_stays(self):
        """[8.2.2h] Of the authority's photo and of what it was asked nothing is in the daemon's memory or log, whatever the answer."""
        opened = self.open("adapters/memory")
        for fault in (None, "other-photo", "wrong-signature", "stale"):
            with self.subTest(fault):
                self.outside.identity.fault = fault
                self.ask(opened, "adapters/memory")
                marks = {"witness": self.daemon.settings["source_key_file"].encode(), "number": NUMBER.encode(), "name": NAME.encode()}
                found = search(self.daemon.process.pid, marks | needles(self.portrait(PERSON)))
                self.assertTrue(any(line.startswith("witness") for line in found))
                self.assertEqual([], [line for line in found if not line.startswith("witness")])
        self.assertNotIn(NUMBER, self.daemon.log_text() + self.stand.daemon.log_text())
        self.assertNotIn(registration("adapters/memory"), self.daemon.log_text())
