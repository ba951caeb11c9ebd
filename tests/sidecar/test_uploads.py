"""Uploads that mean harm [8.2.3c]: each is answered soon, costs little, and changes nothing for whoever comes next."""
import json
import random
import time
import zlib

import hostile
from fixture import CHANNEL, PERSON, STRANGER, HttpTest
from rig import pictures

PATH = "/v1/verifications"
REFUSED = ("UNREADABLE_IMAGE", "UNSUPPORTED_IMAGE", "IMAGE_TOO_LARGE", "IMAGE_TOO_SMALL", "DECODE_TIMEOUT", "NO_FACE")


def resident(pid):
    """MB in RAM."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


class Uploads(HttpTest):
    def verify(self, image):
        return self.client.verify("nobody", image, channel=CHANNEL)

    def tearDown(self):
        self.assert_serving()

    def test_what_is_no_picture_of_ours(self):
        for name, data in hostile.MAGICS.items():
            self.assert_problem(self.verify(data), 422, "UNSUPPORTED_IMAGE", "JPEG, PNG, WebP")
            # A picture behind it does not make it one: the first bytes decide, as they do for whoever else reads the file.
            reply = self.verify(data + self.portrait(PERSON))
            self.assert_problem(reply, 422, "UNSUPPORTED_IMAGE")
        for start in (b"\n", b"\xef\xbb\xbf", b" "):
            self.assert_problem(self.verify(start + self.portrait(PERSON)), 422, "UNSUPPORTED_IMAGE")

    def test_what_is_a_picture_and_something_else(self):
        """The picture alone counts: what hangs on it is not looked at, not kept and not given back."""
        picture, script = self.portrait(STRANGER), b"<script>alert(1)</script><?php system('id'); ?>"
        for name, data in {"archive": picture + hostile.archive(), "page": picture + script, "film": picture + bytes(100000),
                           "picture": picture + self.portrait(PERSON), "comment": hostile.with_comment(picture, script),
                           "header": hostile.with_comment(picture, b"%PDF-1.4\n" + script)}.items():
            reply = self.verify(data)
            self.assertEqual((200, "UNKNOWN_SUBJECT"), (reply.status, reply.code), name)
            self.assertNotIn(b"script", reply.body)
            self.assertEqual(("application/json", "nosniff"),
                             (reply.headers["Content-Type"], reply.headers["X-Content-Type-Options"]))

    def test_name_and_type_of_a_part_are_only_claims(self):
        for name in ("../../../../etc/passwd", "x.php", "a" * 3000, "\u202egpj.exe", "CON", "/dev/null"):
            reply = self.client.post(PATH, {"subject": "nobody", "image": (name, self.portrait(STRANGER)), "channel": CHANNEL})
            self.assertIn((reply.status, reply.code), ((200, "UNKNOWN_SUBJECT"), (400, "MALFORMED_MULTIPART")), name)

    def test_bombs(self):
        """Small files that would cost gigabytes or minutes: refused within the decoder's 1.5 s, and the memory is back."""
        daemon = self.stand.daemon
        self.verify(self.portrait(STRANGER))
        before = resident(daemon.process.pid)
        for name, data in hostile.bombs().items():
            self.assertLess(len(data), 5 << 20, name)
            began = time.monotonic()
            reply = self.verify(data)
            seconds = time.monotonic() - began
            self.assertEqual(422, reply.status, (name, reply.body))
            self.assertIn(reply.code, REFUSED, name)
            self.assertLess(seconds, 4, name)
            self.assertLess(resident(daemon.process.pid) - before, 120, name)

    def test_cut_anywhere(self):
        """Never a verdict on half a picture, never a fault of ours."""
        rows = b"".join(b"\0" + random.Random(y).randbytes(64) for y in range(64))
        for picture in (self.portrait(PERSON), pictures.png(64, 64, zlib.compress(rows))):
            dice = random.Random(len(picture))
            cuts = {1, 2, 3, 8, 12, 20, len(picture) - 1, len(picture) - 2} | {dice.randrange(1, len(picture))
                                                                            for _ in range(150)}
            for cut in sorted(cuts):
                reply = self.verify(picture[:cut])
                self.assertEqual(422, reply.status, cut)
                self.assertIn(reply.code, ("UNREADABLE_IMAGE", "UNSUPPORTED_IMAGE"), cut)

    def test_damaged_anywhere(self):
        """Some bytes of a real picture are others: a verdict on what is to be seen, or a refusal."""
        picture, dice = self.portrait(STRANGER), random.Random(6)
        for _ in range(60):
            damaged = bytearray(picture)
            for _ in range(dice.randint(1, 8)):
                damaged[dice.randrange(2, len(damaged))] = dice.randrange(256)
            reply = self.verify(bytes(damaged))
            self.assertIn((reply.status, reply.code), [(200, "UNKNOWN_SUBJECT"), (200, "QUALITY"), (200, "LIVENESS"),
                                                       *((422, code) for code in REFUSED)])

    def assert_soon(self, body, kind, *codes):
        began = time.monotonic()
        reply = self.client.request("POST", PATH, body, {"Content-Type": kind})
        self.assertEqual(400, reply.status, reply.body[:200])
        self.assertIn(reply.code, codes)
        self.assertLess(time.monotonic() - began, 2)

    def test_ten_thousand_tiny_parts(self):
        def form(names, head='Content-Disposition: form-data; name="%s"'):
            parts = b"".join(b"--b\r\n" + (head % name if "%" in head else head).encode() + b"\r\n\r\nx\r\n" for name in names)
            return parts + b"--b--\r\n"

        kind = "multipart/form-data; boundary=b"
        for names in ([f"p{i}" for i in range(10000)], ["channel"] * 10000, [""] * 10000, ["subject"] + ["image"] * 9999):
            self.assert_soon(form(names), kind, "MALFORMED_MULTIPART", "DUPLICATE_PART", "UNKNOWN_PART")
        self.assert_soon(form([""] * 10000, "X: y"), kind, "MALFORMED_MULTIPART")
        self.assert_soon(b"--b\r\n" * 10000, kind, "MALFORMED_MULTIPART")
        self.assert_soon(b"--b--" * 100000, kind, "MALFORMED_MULTIPART", "MISSING_PART")
        self.assert_soon(b"\r\n--" * 100000, kind, "MALFORMED_MULTIPART")
        members = ",".join(f'"p{i}":"x"' for i in range(10000))
        self.assert_soon(("{" + members + "}").encode(), "application/json", "MALFORMED_JSON", "UNKNOWN_PART")
        self.assert_soon(("{" + ",".join(['"channel":"x"'] * 10000) + "}").encode(), "application/json", "DUPLICATE_PART",
                         "MALFORMED_JSON")
        self.assert_soon(json.dumps({"image": ["x"] * 10000}).encode(), "application/json", "MALFORMED_JSON")

    def test_forms_within_forms(self):
        inner = b'--c\r\nContent-Disposition: form-data; name="subject"\r\n\r\nnobody\r\n--c--\r\n'
        for head in (b'Content-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=c',
                     b'Content-Disposition: form-data; name="image"\r\nContent-Transfer-Encoding: base64'):
            body = (b'--b\r\nContent-Disposition: form-data; name="subject"\r\n\r\nnobody\r\n--b\r\n' + head + b"\r\n\r\n" +
                    inner + b"\r\n--b--\r\n")
            reply = self.client.request("POST", PATH, body, {"Content-Type": "multipart/form-data; boundary=b"})
            self.assertIn((reply.status, reply.code), ((422, "UNSUPPORTED_IMAGE"), (400, "MALFORMED_MULTIPART")))
