"""Register, verify, compare, cancel."""
import json
import uuid

from fixture import CHANNEL, PERSON, SAME_PERSON, STRANGER, HttpTest
from rig import pictures


class Flows(HttpTest):
    def test_life_of_a_registration(self):
        """[5.3.1] [5.3.2] [5.3.4] [6.1.1c] A capture's feature is stored by one call and compared by the next."""
        subject = "Zoë/ü 1%?#"
        reply = self.client.register(subject, self.portrait(PERSON), channel=CHANNEL, biz_id="open-1")
        self.assertEqual((201, "accept", "OK"), (reply.status, reply.decision, reply.code), reply.body)
        self.assertEqual("open-1", reply.json["biz_id"])
        self.assertEqual("/v1/registrations/Zo%C3%AB%2F%C3%BC%201%25%3F%23", reply.headers["Location"])
        again = self.client.register(subject, self.portrait(PERSON), channel=CHANNEL)
        self.assertEqual((200, "refuse", "SUBJECT_EXISTS"), (again.status, again.decision, again.code))
        same = self.client.verify(subject, self.portrait(SAME_PERSON), channel=CHANNEL)
        self.assertEqual((200, "accept"), (same.status, same.decision), same.body)
        other = self.client.verify(subject, self.portrait(STRANGER), channel=CHANNEL)
        self.assertEqual((200, "reject", "NO_MATCH"), (other.status, other.decision, other.code))
        gone = self.client.request("DELETE", reply.headers["Location"] + f"?channel={CHANNEL}&biz_id=close-1")
        self.assertEqual((200, "accept", "close-1"), (gone.status, gone.decision, gone.json["biz_id"]), gone.body)
        after = self.client.verify(subject, self.portrait(SAME_PERSON), channel=CHANNEL)
        self.assertEqual((200, "refuse", "UNKNOWN_SUBJECT"), (after.status, after.decision, after.code))
        anew = self.client.register(subject, self.portrait(PERSON), channel=CHANNEL)
        self.assertEqual(201, anew.status)

    def test_json_and_multipart_agree(self):
        image = self.portrait(PERSON)
        reply = self.client.post_json("/v1/registrations", {
            "subject": "json", "image": image, "channel": CHANNEL, "context": {"branch": "北京", "n": [1, {"a": None}]}})
        self.assertEqual(201, reply.status, reply.body)
        both = [self.client.post_json("/v1/verifications", {"subject": "json", "image": self.portrait(SAME_PERSON),
                                                            "channel": CHANNEL, "scenario": "default"}),
                self.client.verify("json", self.portrait(SAME_PERSON), channel=CHANNEL, scenario="default",
                                   context=json.dumps({"branch": "北京"}))]
        self.assertEqual(["accept", "accept"], [reply.decision for reply in both])

    def test_compare_with_a_document(self):
        """[6.6f]"""
        pair = self.client.compare(self.portrait(SAME_PERSON), self.portrait(PERSON), channel=CHANNEL, biz_id="kyc-1")
        self.assertEqual((200, "accept"), (pair.status, pair.decision), pair.body)
        strangers = self.client.compare(self.portrait(STRANGER), self.portrait(PERSON), channel=CHANNEL)
        self.assertEqual((200, "reject", "NO_MATCH"), (strangers.status, strangers.decision, strangers.code))
        reply = self.client.compare(self.portrait(PERSON), pictures.faceless(), channel=CHANNEL)
        self.assert_problem(reply, 422, "NO_FACE", '"document"')

    def test_pictures_that_are_no_capture(self):
        """[6.1.1d] [6.1.1f] Each failure has its own code, and none leaves a registration behind."""
        whole = self.portrait(PERSON)
        cases = [(pictures.faceless(), "NO_FACE"),
                 (pictures.side_by_side(PERSON, STRANGER, self.cluster.stage), "SEVERAL_FACES"),
                 (whole[:len(whole) // 2], "UNREADABLE_IMAGE"), (pictures.bomb(), "IMAGE_TOO_LARGE"),
                 (pictures.bomb(16), "IMAGE_TOO_SMALL"), (b"GIF89a not really", "UNSUPPORTED_IMAGE")]
        for image, code in cases:
            with self.subTest(code):
                self.assert_problem(self.client.register("nobody", image, channel=CHANNEL), 422, code)
        self.assertEqual("0", self.cluster.value("SELECT count(*) FROM visage.history WHERE biz_id = 'nobody'"))
        self.assert_serving()

    def test_nobody_else_is_in_the_picture_of_a_reference(self):
        """[6.1.1f] [5.3.3] Whichever call makes it."""
        two = pictures.side_by_side(PERSON, STRANGER, self.cluster.stage)
        of = "/v1/registrations/nobody/references"
        for method, path in (("POST", of), ("PUT", of), ("PUT", f"{of}/{uuid.uuid4()}")):
            with self.subTest(method + path):
                reply = self.client.send_json(method, path, {"image": two, "channel": CHANNEL})
                self.assert_problem(reply, 422, "SEVERAL_FACES")

    def test_main_face_decides_a_verification(self):
        """[6.1.1f] Two faces are no reason to turn a verification away."""
        two = pictures.side_by_side(PERSON, STRANGER, self.cluster.stage)
        reply = self.client.verify("nobody", two, channel=CHANNEL)
        self.assertEqual((200, "UNKNOWN_SUBJECT"), (reply.status, reply.code), reply.body)

    def test_policy_is_the_databases(self):
        """[6.3e] The same picture passes one channel's floors and not another's."""
        reply = self.client.verify("nobody", self.portrait(SAME_PERSON))
        self.assertEqual((200, "refuse", "QUALITY"), (reply.status, reply.decision, reply.code), reply.body)
        reply = self.client.verify("nobody", self.portrait(SAME_PERSON), channel="no such channel")
        self.assert_problem(reply, 400, "INVALID_VALUE", "channel")

    def test_event_names_the_call(self):
        """[8.2.5b] biz_id reaches the history; the caller cannot set what is ours."""
        reply = self.client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL, biz_id="trace-7",
                                   context='{"biz_id": "other", "caller": "root", "request_id": "x"}')
        row = self.cluster.value("SELECT biz_id, transaction_id, event FROM visage.history ORDER BY event DESC LIMIT 1")
        self.assertEqual(f"trace-7|{reply.json['transaction_id']}|{reply.json['event']}", row)

    def test_no_answer_holds_a_score(self):
        reply = self.client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        self.assertNotRegex(reply.body.decode().lower(), "score|similar|distance|threshold")
