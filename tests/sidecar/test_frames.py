"""Captures of several sealed frames: sealed once, for one session, and judged."""
import os
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fixture import CHANNEL, PERSON, SAME_PERSON, HttpTest
from rig import bank

LIVE = "live"  # a channel with a liveness floor


class Page:
    """What a page does with WebCrypto; by docs/liveness.md and none of our code."""

    def __init__(self, daemon_point, nonce):
        self.nonce = bytes.fromhex(nonce)
        private = ec.generate_private_key(ec.SECP256R1())
        self.point = private.public_key().public_bytes(serialization.Encoding.X962,
                                                       serialization.PublicFormat.UncompressedPoint)
        daemon = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(daemon_point))
        self.key = HKDF(hashes.SHA256(), 32, self.nonce, b"visage frame 1" + self.point + bytes.fromhex(daemon_point)
                        ).derive(private.exchange(ec.ECDH(), daemon))

    def seal(self, content, index, count, kind=1, light=255):
        iv = os.urandom(12)
        header = struct.pack("<IBBHHHIq", 0x31465356, kind, light, 0, index, count, 0, 1000 + 100_000 * index) + self.nonce + iv
        return header + AESGCM(self.key).encrypt(iv, content, header)

    def bundle(self, pictures, light=255):
        sealed = [self.seal(picture, i, len(pictures), light=light) for i, picture in enumerate(pictures)]
        return b"".join(struct.pack("<I", len(frame)) + frame for frame in sealed)


class Frames(HttpTest):
    def setUp(self):
        super().setUp()
        if self.cluster.value(f"SELECT count(*) FROM visage.channel WHERE name = '{LIVE}'") == "0":
            bank.make_channel(self.cluster, LIVE)
            self.cluster.psql(f"UPDATE visage.channel SET session_required = true, liveness_floor = 0.5 WHERE name = '{LIVE}'")

    def open(self, subject):
        reply = self.client.open_session(subject, "verify", channel=LIVE)
        self.assertEqual(201, reply.status, reply.body)
        return reply.json

    def page(self, opened):
        reply = self.client.request("GET", "/v1/frame-key")
        self.assertEqual(200, reply.status, reply.body)
        return Page(reply.json["key"], opened["nonce"])

    def post(self, subject, opened, page, frames, **more):
        parts = {"subject": subject, "session": opened["session"], "nonce": opened["nonce"], "channel": LIVE,
                 "page_key": page.point.hex(), "frames": frames, **more}
        return self.client.post("/v1/verifications", parts)

    def test_a_still_picture_is_refused_and_the_client_does_not_learn_why(self):
        """[6.1.2a] [6.1.2b] [6.1.2c] One picture for all frames: it does not move, and it is the right person's."""
        subject = "frames/still"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        opened = self.open(subject)
        page = self.page(opened)
        reply = self.post(subject, opened, page, page.bundle([self.portrait(SAME_PERSON)] * 6))
        self.assertEqual((200, "refuse", "LIVENESS"), (reply.status, reply.decision, reply.code), reply.body)
        for word in (b"still", b"movement", b"injection", b"species"):
            self.assertNotIn(word, reply.body)

    def test_colours_alone_do_not_pass_for_movements(self):
        """[6.1.2a] Frames that all claim to be lit must answer by their light: nobody skips both questions by saying so."""
        subject = "frames/lit"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        opened = self.open(subject)
        page = self.page(opened)
        reply = self.post(subject, opened, page, page.bundle([self.portrait(SAME_PERSON)] * 6, light=0))
        self.assertEqual((200, "refuse", "LIVENESS"), (reply.status, reply.decision, reply.code), reply.body)

    def test_a_channel_can_demand_the_challenge(self):
        """[6.1.2a] [6.3e] With a floor on the method a lone picture no longer does."""
        subject, demanding = "frames/demand", "demanding"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        bank.make_channel(self.cluster, demanding)
        picture = self.portrait(SAME_PERSON)
        self.assertEqual("accept", self.client.verify(subject, picture, channel=demanding).decision)
        self.cluster.psql("INSERT INTO visage.channel_floor (institution, channel, measure, minimum) "
                          f"VALUES (1, '{demanding}', 'LivenessChallenge', 0.5)")
        reply = self.client.verify(subject, picture, channel=demanding)
        self.assertEqual(("refuse", "QUALITY"), (reply.decision, reply.code), reply.body)

    def test_frames_are_taken_once(self):
        """[8.2.3b] The same bundle again, and the same key again, are refused before anything is judged."""
        subject = "frames/replay"
        opened = self.open(subject)
        page = self.page(opened)
        bundle = page.bundle([self.portrait(PERSON)] * 3)
        self.assertEqual(200, self.post(subject, opened, page, bundle).status)
        self.assert_problem(self.post(subject, opened, page, bundle), 400, "INVALID_VALUE", "sent before")
        again = page.bundle([self.portrait(PERSON)] * 3)
        self.assert_problem(self.post(subject, opened, page, again), 400, "INVALID_VALUE", "sent before")

    def test_frames_are_of_one_session_whole_and_in_order(self):
        """[8.2.3b] Sealed for another session, changed, left out, reordered, in the clear: refused."""
        subject = "frames/whole"
        opened, other = self.open(subject), self.open(subject)
        picture = self.portrait(PERSON)
        page = self.page(opened)
        good = page.bundle([picture] * 3)
        length = 4 + struct.unpack("<I", good[:4])[0]
        wrong = {
            "another session": self.page(other).bundle([picture] * 3),
            "changed": good[:200] + bytes([good[200] ^ 1]) + good[201:],
            "left out": good[length:],
            "cut": good[:-1],
            "reordered": good[length:2 * length] + good[:length] + good[2 * length:],
            "in the clear": picture,
        }
        for what, bundle in wrong.items():
            with self.subTest(what):
                self.assert_problem(self.post(subject, opened, page, bundle), 400, "INVALID_VALUE", "frames")
        # None of that used the key up.
        self.assertEqual(200, self.post(subject, opened, page, good).status)

    def test_either_an_image_or_frames(self):
        opened = self.open("frames/parts")
        page = self.page(opened)
        bundle = page.bundle([self.portrait(PERSON)] * 3)
        both = self.post("frames/parts", opened, page, bundle, image=self.portrait(PERSON))
        self.assert_problem(both, 400, "INVALID_VALUE", "not both")
        neither = self.client.post("/v1/verifications", {"subject": "frames/parts", "channel": LIVE})
        self.assert_problem(neither, 400, "MISSING_PART", "image")
