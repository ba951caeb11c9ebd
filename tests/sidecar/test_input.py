"""Bad input: each kind has its code, names the part, and harms nobody after it."""
import json
import random

from fixture import CHANNEL, PERSON, HttpTest
from rig.client import multipart

ROUTES = {"/v1/registrations": ("subject", "image"), "/v1/verifications": ("subject", "image"),
          "/v1/comparisons": ("document", "image")}


class BadInput(HttpTest):
    def parts(self, path):
        return {name: "alice" if name == "subject" else self.portrait(PERSON) for name in ROUTES[path]}

    def test_missing_part_is_named(self):
        for path, names in ROUTES.items():
            for name in names:
                parts = {k: v for k, v in self.parts(path).items() if k != name}
                self.assert_problem(self.client.post(path, parts), 400, "MISSING_PART", f'"{name}"')
                self.assert_problem(self.client.post_json(path, parts), 400, "MISSING_PART", f'"{name}"')

    def test_duplicate_and_unknown_parts(self):
        for path in ROUTES:
            parts = [*self.parts(path).items(), ("channel", "a"), ("channel", "b")]
            self.assert_problem(self.client.post(path, parts), 400, "DUPLICATE_PART")
            parts = {**self.parts(path), "chanel": "typo"}
            self.assert_problem(self.client.post(path, parts), 400, "UNKNOWN_PART", "channel")
            self.assert_problem(self.client.post_json(path, parts), 400, "UNKNOWN_PART", "channel")
            body = b'{"channel": "a", "channel": "b"}'
            self.assert_problem(self.json(path, body), 400, "DUPLICATE_PART")

    def json(self, path, body):
        return self.client.request("POST", path, body, {"Content-Type": "application/json"})

    def test_wrong_content_type(self):
        for path in ROUTES:
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x", "x"):
                reply = self.client.request("POST", path, b"x", {"Content-Type": kind})
                self.assert_problem(reply, 415, "UNSUPPORTED_MEDIA_TYPE")
            self.assert_problem(self.client.request("POST", path, b"x"), 415, "UNSUPPORTED_MEDIA_TYPE")
            body, kind = multipart(self.parts(path))
            reply = self.client.request("POST", path, body, {"Content-Type": kind, "Content-Encoding": "gzip"})
            self.assert_problem(reply, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding")

    def test_bad_json(self):
        bad = [b"", b"{", b"[]", b"null", b'"x"', b'{"subject": 7, "image": "AA=="}', b'{"subject": "\xff"}',
               b"[" * 100000, b"{" + b",".join(b'"a%d":0' % i for i in range(5000)) + b"}", b'{"context": "text"}',
               b'{"subject": "a"} trailing', b'{"subject": "\\ud800"}']
        for body in bad:
            self.assert_problem(self.json("/v1/verifications", body), 400, "MALFORMED_JSON")

    def test_bad_base64(self):
        for text in ("A", "AAA", "AA=A", "AAAA\\nAAAA", "data:image/png;base64,AAAA", "AA-_", "AB==", "===="):
            body = b'{"subject": "a", "image": "%s"}' % text.encode()
            self.assert_problem(self.json("/v1/verifications", body), 400, "MALFORMED_BASE64", '"image"')

    def test_bad_values(self):
        image = self.portrait(PERSON)
        for name, value in (("subject", ""), ("subject", "a\0b"), ("subject", b"\xff\xfe"), ("subject", "x" * 257),
                            ("subject", "a\x1bb"), ("channel", "x" * 5000), ("context", "[1]"), ("context", "{"),
                            ("context", '{"a":"' + "x" * 20000 + '"}'), ("biz_id", "x" * 200), ("biz_id", "\x7f"),
                            ("image", b"")):
            parts = {"subject": "alice", "image": image, "channel": CHANNEL, name: value}
            self.assert_problem(self.client.post("/v1/verifications", parts), 400, "INVALID_VALUE")
        for subject in ("x" * 257, "a\x01b", "\0"):
            reply = self.client.cancel(subject, channel=CHANNEL)
            self.assertEqual(400, reply.status, reply.body)

    def test_malformed_multipart(self):
        path = "/v1/verifications"
        body, kind = multipart(self.parts(path))
        boundary = kind.split("boundary=")[1].encode()
        broken = [b"", body[:-4], body[:len(body) // 2], b"x" + body, body.replace(b"\r\n\r\n", b"\r\n", 1),
                  body.replace(b"form-data", b"attachment", 1), body.replace(b"name=", b"nam=", 1),
                  b"--" + boundary + b"\r\n" + b"A: b\r\n" * 2000 + b"\r\n", b"--" + boundary + b"x",
                  b"".join(b"--" + boundary + b'\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n\r\n' % i
                           for i in range(100)) + b"--" + boundary + b"--"]
        for bad in broken:
            reply = self.client.request("POST", path, bad, {"Content-Type": kind})
            self.assert_problem(reply, 400, "MALFORMED_MULTIPART")
        for bad in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71):
            reply = self.client.request("POST", path, body, {"Content-Type": bad})
            self.assert_problem(reply, 400, "MALFORMED_MULTIPART")

    def test_flipped_bytes_never_crash(self):
        """Damage anywhere gives an answer of the described shape, never a hang, a 5xx or a registration."""
        dice = random.Random(20)
        body, kind = multipart({"subject": "flipped", "image": b"\x89PNG not", "channel": CHANNEL, "context": "{}"})
        text = json.dumps({"subject": "flipped", "image": "iVBORw==", "context": {"a": [1, "\u00e9"]}}).encode()
        for original, content_type in ((body, kind), (text, "application/json")):
            for _ in range(300):
                damaged = bytearray(original)
                for _ in range(dice.randint(1, 3)):
                    damaged[dice.randrange(len(damaged))] = dice.randrange(256)
                if dice.random() < 0.2:
                    del damaged[dice.randrange(len(damaged)):]
                reply = self.client.request("POST", "/v1/registrations", bytes(damaged), {"Content-Type": content_type})
                self.assertIn(reply.status, (400, 422), reply.body)
        self.assert_serving()

    def test_oversized(self):
        """Refused from the header alone: the body is never read."""
        for path, names in ROUTES.items():
            reply = self.client.post(path, {**self.parts(path), "image": b"x" * (11 << 20)})
            self.assert_problem(reply, 413, "BODY_TOO_LARGE", "bytes")
        parts = {**self.parts("/v1/comparisons"), "image": b"x" * (6 << 20)}  # the sum would fit, the part does not
        self.assert_problem(self.client.post("/v1/comparisons", parts), 413, "BODY_TOO_LARGE", '"image"')
        self.assert_serving()

    def test_methods_and_paths(self):
        for method, path, allow in (("GET", "/v1/verifications", "POST"), ("PUT", "/v1/registrations", "POST"),
                                    ("POST", "/v1/registrations/alice", "DELETE"), ("POST", "/openapi.yaml", "GET, HEAD"),
                                    ("OPTIONS", "/v1/comparisons", "POST"), ("PATCH", "/v1/registrations/a", "DELETE")):
            reply = self.client.request(method, path)
            self.assert_problem(reply, 405, "METHOD_NOT_ALLOWED", allow)
            self.assertEqual(allow, reply.headers["Allow"])
        for path in ("/", "/v1", "/v1/", "/v1/registrations/", "/v1/registrations/a/b", "/v2/verifications",
                     "/v1/verifications/", "//v1/verifications", "/live", "/ready", "/metrics", "/../etc/passwd",
                     "/v1/%72egistrations/a/b"):
            self.assert_problem(self.client.request("GET", path), 404, "NOT_FOUND")
        for path in ("/v1/registrations/%zz", "/v1/registrations/%", "/v1/registrations/%ff", "/v1/registrations/a%00"):
            self.assert_problem(self.client.request("DELETE", path), 400, "MALFORMED_REQUEST")
        reply = self.client.request("DELETE", "/v1/registrations/a?force=1")
        self.assert_problem(reply, 400, "UNKNOWN_PART", "channel")
        reply = self.client.request("DELETE", "/v1/registrations/a?channel=a&channel=b")
        self.assert_problem(reply, 400, "DUPLICATE_PART")
