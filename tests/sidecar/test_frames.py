"""Captures of several sealed frames: sealed once, for one session, and judged."""
import os
import struct
import time
import unittest
import zlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import hostile
from fixture import CHANNEL, PERSON, SAME_PERSON, HttpTest
from memory import needles, search
from rig import bank, pictures
from rig.client import Client

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

    def seal(self, content, index, count, kind=1, light=255, time=None):
        iv = os.urandom(12)
        time = 1000 + 100_000 * index if time is None else time
        header = struct.pack("<IBBHHHIq", 0x31465356, kind, light, 0, index, count, 0, time) + self.nonce + iv
        return header + AESGCM(self.key).encrypt(iv, content, header)

    def bundle(self, pictures, light=255):
        sealed = [self.seal(picture, i, len(pictures), light=light) for i, picture in enumerate(pictures)]
        return b"".join(struct.pack("<I", len(frame)) + frame for frame in sealed)

    def end(self, frames, count=None):
        return self.seal(b"", frames, frames if count is None else count, kind=3, time=0)


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


class OneByOne(HttpTest):
    """As a capture page sends them: each while the next is taken, and then the end."""

    def setUp(self):
        super().setUp()
        if self.cluster.value(f"SELECT count(*) FROM visage.channel WHERE name = '{LIVE}'") == "0":
            bank.make_channel(self.cluster, LIVE)
            self.cluster.psql(f"UPDATE visage.channel SET session_required = true, liveness_floor = 0.5 WHERE name = '{LIVE}'")
        if not hasattr(self.stand, "one_by_one"):
            self.stand.one_by_one = self.stand.start("one-by-one", page_listen="127.0.0.1:0")
        self.daemon = self.stand.one_by_one
        self.client = self.connect(self.daemon)

    def opened(self, subject, daemon=None):
        """(the session, a page that was opened for it)."""
        daemon = daemon or self.daemon
        reply = self.connect(daemon).open_session(subject, "verify", channel=LIVE, capture_page={})
        self.assertEqual(201, reply.status, reply.body)
        browser = Client(daemon.pages)
        self.addCleanup(browser.close)
        ticket = browser.request("POST", "/capture/open", b"", {"Authorization": "Capture " + reply.json["capture_link"].split("#")[1]})
        self.assertEqual(200, ticket.status, ticket.body)
        return reply.json["session"], Sender(browser, ticket.json["ticket"])

    def state(self, session):
        return self.client.request("GET", "/v1/sessions/" + session).json

    def captures(self, daemon=None):
        lines = (daemon or self.daemon).get_admin("/metrics")[1].splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("visaged_captures "))))

    def test_the_end_decides(self):
        """[6.1.2a] [6.1.2b] Nothing is told of a frame, nothing decided before the end, and then as of a whole upload."""
        subject = "one/still"
        self.assertEqual(201, self.client.register(subject, self.portrait(PERSON), channel=CHANNEL).status)
        session, sender = self.opened(subject)
        page = sender.page()
        for i in range(6):
            reply = sender.frame(page, page.seal(self.portrait(SAME_PERSON), i, 0))
            self.assertEqual((200, {}), (reply.status, reply.json), reply.body)
            self.assertEqual("CREATED", self.state(session)["state"])
        reply = sender.end(page, page.end(6))
        self.assertEqual((200, {"result": "fail"}), (reply.status, reply.json), reply.body)
        self.assertEqual(("FAILED", "LIVENESS"), (self.state(session)["state"], self.state(session)["reason"]))
        self.assertEqual(0, self.captures())
        # Neither the end nor the frames are of use again.
        self.assert_problem(sender.end(page, page.end(6)), 400, "INVALID_VALUE", "sent before")
        self.assert_problem(sender.frame(page, page.seal(self.portrait(SAME_PERSON), 0, 0)), 400, "INVALID_VALUE", "sent before")

    def test_a_frame_out_of_its_place_ends_the_capture(self):
        """[8.2.3b] Left out, again, of another time, counted, of another kind: what came before is gone, and its key with it."""
        picture = self.portrait(PERSON)
        wrong = {
            "left out": lambda page: page.seal(picture, 3, 0),
            "again": lambda page: page.seal(picture, 1, 0),
            "earlier": lambda page: page.seal(picture, 2, 0, time=5),
            "counted": lambda page: page.seal(picture, 2, 3),
            "a depth map": lambda page: page.seal(picture, 2, 0, kind=2),
            "an end": lambda page: page.seal(b"", 2, 2, kind=3),
        }
        for what, make in wrong.items():
            with self.subTest(what):
                session, sender = self.opened("one/place")
                page = sender.page()
                for i in range(2):
                    self.assertEqual(200, sender.frame(page, page.seal(picture, i, 0)).status)
                self.assert_problem(sender.frame(page, make(page)), 400, "INVALID_VALUE", "frames")
                self.assertEqual(0, self.captures())
                self.assert_problem(sender.frame(page, page.seal(picture, 2, 0)), 400, "INVALID_VALUE")
                self.assert_problem(sender.frame(page, page.seal(picture, 0, 0)), 400, "INVALID_VALUE")
                self.assert_problem(sender.end(page, page.end(2)), 400, "INVALID_VALUE")
                self.assertEqual("CREATED", self.state(session)["state"])

    def test_what_nobody_sealed_changes_nothing(self):
        """[8.2.3b] Frames that this page did not seal for this session are refused, and its own go on."""
        subject, picture = "one/sealed", self.portrait(PERSON)
        session, sender = self.opened(subject)
        _, other = self.opened(subject)
        page, stranger, foreign = sender.page(), sender.page(), other.page()
        self.assertEqual(200, sender.frame(page, page.seal(picture, 0, 0)).status)
        good = page.seal(picture, 1, 0)
        for frame in (stranger.seal(picture, 1, 0), foreign.seal(picture, 1, 0), good[:-1], good[:200] + bytes([good[200] ^ 1]) + good[201:], picture):
            self.assert_problem(sender.frame(page, frame), 400, "INVALID_VALUE", "frames")
        self.assert_problem(other.frame(page, good), 400, "INVALID_VALUE", "frames")  # by another session's page
        self.assertEqual(200, sender.frame(page, good).status)
        self.assertEqual("CREATED", self.state(session)["state"])

    def test_the_end_counts(self):
        """[8.2.3b] An end that says another number, or that is none, ends the capture all the same: nobody guesses."""
        picture = self.portrait(PERSON)
        wrong = {"fewer": lambda page: page.end(1), "more": lambda page: page.end(3), "two numbers": lambda page: page.end(2, count=3),
                 "a frame": lambda page: page.seal(picture, 2, 2)}
        for what, make in wrong.items():
            with self.subTest(what):
                session, sender = self.opened("one/end")
                page = sender.page()
                for i in range(2):
                    self.assertEqual(200, sender.frame(page, page.seal(picture, i, 0)).status)
                self.assert_problem(sender.end(page, sender.page().end(2)), 400, "INVALID_VALUE", "frames")  # another key's: nothing
                self.assertEqual(1, self.captures())
                self.assert_problem(sender.end(page, make(page)), 400, "INVALID_VALUE", "frames")
                self.assertEqual(0, self.captures())
                self.assert_problem(sender.end(page, page.end(2)), 400, "INVALID_VALUE")
                self.assertEqual("CREATED", self.state(session)["state"])

    def test_too_many(self):
        """[8.2.3c] What one page makes the daemon keep is bounded."""
        _, sender = self.opened("one/many")
        page = sender.page()
        picture = pictures.png(160, 160, zlib.compress(bytes(161 * 160)))  # nobody in it: quickly looked at
        for i in range(64):
            self.assertEqual(200, sender.frame(page, page.seal(picture, i, 0)).status)
        self.assertEqual(1, self.captures())
        self.assert_problem(sender.frame(page, page.seal(picture, 64, 0)), 400, "INVALID_VALUE")
        self.assertEqual(0, self.captures())

    def test_what_is_sealed_may_be_a_bomb(self):
        """[8.2.3c] Who may seal may still mean harm: it costs no more than any picture, and what is refused ends the capture."""
        for name, data in {**hostile.MAGICS, **hostile.bombs()}.items():
            with self.subTest(name):
                _, sender = self.opened("one/bomb")
                page = sender.page()
                began = time.monotonic()
                reply = sender.frame(page, page.seal(data, 0, 0))
                self.assertIn(reply.status, (200, 422), reply.body)  # 200: there is a picture, and nobody in it
                self.assertLess(time.monotonic() - began, 4)
                self.assertEqual(int(reply.status == 200), self.captures())
                self.assertEqual(200, sender.call("decline").status)
                self.assertEqual(0, self.captures())

    def test_a_page_that_begins_again_has_one_capture(self):
        """[8.2.3c] The second capture of a session takes the place of the first."""
        _, sender = self.opened("one/again")
        first, second = sender.page(), sender.page()
        picture = self.portrait(PERSON)
        self.assertEqual(200, sender.frame(first, first.seal(picture, 0, 0)).status)
        self.assertEqual(200, sender.frame(second, second.seal(picture, 0, 0)).status)
        self.assertEqual(1, self.captures())
        self.assert_problem(sender.frame(first, first.seal(picture, 1, 0)), 400, "INVALID_VALUE")
        self.assert_problem(sender.end(first, first.end(1)), 400, "INVALID_VALUE")
        self.assertEqual(200, sender.frame(second, second.seal(picture, 1, 0)).status)
        self.assertEqual(200, sender.call("decline").status)
        self.assertEqual(0, self.captures())

    def test_a_restart_forgets(self):
        """[8.2.3c] What was seen before a restart counts for nothing after it."""
        subject, picture = "one/restart", self.portrait(PERSON)
        first = self.start("one-first", page_listen="127.0.0.1:0")
        session, sender = self.opened(subject, first)
        page = sender.page()
        for i in range(3):
            self.assertEqual(200, sender.frame(page, page.seal(picture, i, 0)).status)
        self.assertEqual(0, first.stop())
        second = self.start("one-second", page_listen="127.0.0.1:0")
        sender.browser = Client(second.pages)
        self.addCleanup(sender.browser.close)
        self.assert_problem(sender.end(page, page.end(3)), 400, "INVALID_VALUE")
        self.assert_problem(sender.frame(page, page.seal(picture, 3, 0)), 400, "INVALID_VALUE")
        self.assertEqual("CREATED", self.state(session)["state"])
        # It begins again, with the key of the new daemon.
        page = sender.page()
        self.assertEqual(200, sender.frame(page, page.seal(picture, 0, 0)).status)

    @unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
    def test_nothing_is_left_of_it(self):
        """[8.2.2g] Between two frames one picture is kept; after the capture was given up, none."""
        daemon = self.start("one-wiped", page_listen="127.0.0.1:0", max_connections=4)
        _, sender = self.opened("one/wiped", daemon)
        page = sender.page()
        picture = self.portrait(PERSON)
        self.assertEqual(200, sender.frame(page, page.seal(picture, 0, 0)).status)
        marks = needles(picture)
        self.assertTrue(search(daemon.process.pid, marks), "the search does not find what must be there")
        self.assertEqual(200, sender.call("decline").status)
        self.assertEqual([], search(daemon.process.pid, marks))


class Sender:
    """A page's calls, with the ticket that it was opened with."""

    def __init__(self, browser, ticket):
        self.browser, self.ticket = browser, ticket

    def call(self, name, **parts):
        headers = {"Authorization": "Capture " + self.ticket}
        return self.browser.post(f"/capture/{name}", parts, headers) if parts else self.browser.request("POST", f"/capture/{name}", b"", headers)

    def page(self):
        told = self.call("frame-key").json
        return Page(told["key"], told["nonce"])

    def frame(self, page, sealed):
        return self.call("sealed-frame", page_key=page.point.hex(), frame=sealed)

    def end(self, page, sealed):
        return self.call("frames", page_key=page.point.hex(), end=sealed)
