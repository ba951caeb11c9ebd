"""Nothing of an upload is in the daemon's memory once its answer is there, whatever the answer [8.2.2h]."""
import base64
import os
import random
import unittest
import zlib

from fixture import CHANNEL, PERSON, SAME_PERSON, HttpTest
from memory import needles, search
from rig import pictures
from rig.client import multipart
from wire import Wire


def noise():
    """A picture whose file does not shrink, so that every piece of it is of its own."""
    rows = b"".join(b"\0" + random.Random(y).randbytes(640) for y in range(480))
    return pictures.png(640, 480, zlib.compress(rows))


@unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
class Memory(HttpTest):
    def setUp(self):
        super().setUp()
        # Few workers: each has a stack that is searched.
        self.daemon = self.start("memory", max_connections=4)
        self.client = self.connect(self.daemon)
        self.picture = self.portrait(PERSON)
        self.text = base64.b64encode(self.picture)

    def assert_clean(self, what, picture=None):
        marks = {"witness": self.daemon.settings["source_key_file"].encode()}
        found = search(self.daemon.process.pid, marks | needles(picture or self.picture))
        self.assertTrue(any(line.startswith("witness") for line in found), "the search does not find what must be there")
        self.assertEqual([], [line for line in found if not line.startswith("witness")], what)

    def json(self, body, client=None):
        return (client or self.client).request("POST", "/v1/verifications", body, {"Content-Type": "application/json"})

    def test_after_a_verdict(self):
        client, picture = self.client, self.picture
        self.assertEqual(201, client.register("remembered", picture, channel=CHANNEL).status)
        self.assert_clean("registration")
        self.assertEqual("accept", client.verify("remembered", self.portrait(SAME_PERSON), channel=CHANNEL).decision)
        self.assert_clean("verification", self.portrait(SAME_PERSON))
        reply = client.post_json("/v1/verifications", {"subject": "remembered", "image": picture, "channel": CHANNEL})
        self.assertEqual(200, reply.status, reply.body)
        self.assert_clean("base64")
        self.assertEqual(200, client.compare(picture, self.portrait(SAME_PERSON), channel=CHANNEL).status)
        self.assert_clean("comparison")
        self.assert_clean("comparison's document", self.portrait(SAME_PERSON))
        self.assertEqual(200, client.cancel("remembered", channel=CHANNEL).status)

    def test_after_bad_json(self):
        """Refused JSON, whichever token the picture is: a lexer's messages once kept it."""
        text = self.text
        for what, body in {
                "unterminated": b'{"subject":"x","image":"' + text[:40000],
                "wrong bracket": b'{"subject":"x","image":"' + text + b'"]',
                "trailing": b'{"subject":"x","image":"' + text + b'"} x',
                "twice": b'{"image":"' + text + b'","image":"AAAA"}',
                "escaped": b'{"subject":"x","image":"\\u002b' + text.replace(b"/", b"\\/") + b'"}',
                "line ends": b'{"subject":"x","image":"' + text[:30000] + b"\\n" + text[30000:] + b'"}',
                "bad escape": b'{"subject":"x","image":"' + text + b'\\x"}',
                "as a name": b'{"subject":"x","' + text + b'":7}',
                "as a subject": b'{"image":"AAAA","subject":"' + text + b'"}',
                "in an object": b'{"subject":"x","image":{"a":"' + text + b'"}}',
                "in the context": b'{"subject":"x","image":"AAAA","context":{"a":"' + text[:12000] + b'"}}',
                "in an unknown member": b'{"subject":"x","image":"AAAA","selfie":["' + text + b'"]}',
                "bare": b'{"subject":"x","image":' + text + b"}"}.items():
            reply = self.json(body)
            self.assertIn(reply.status, (400, 422), what)
            self.assert_clean(what)

    def test_after_bad_multipart(self):
        client, picture = self.client, self.picture
        body, kind = multipart({"subject": "x", "image": picture})
        for what, call in {
                "half a picture": lambda: client.verify("x", picture[:len(picture) // 2], channel=CHANNEL),
                "part is missing": lambda: client.post("/v1/verifications", {"image": picture}),
                "unknown part": lambda: client.post("/v1/verifications", {"subject": "x", "selfie": picture}),
                "as a subject": lambda: client.post("/v1/verifications", {"subject": picture, "image": b"x"}),
                "as a name": lambda: client.post("/v1/verifications", {self.text[:3000].decode(): "x"}),
                "body ends early": lambda: client.request("POST", "/v1/verifications", body[:-40], {"Content-Type": kind}),
        }.items():
            self.assertIn(call().status, (400, 422), what)
            self.assert_clean(what)

    def test_after_a_refusal_without_reading(self):
        """The first bytes of a body come with the headers, and the rest while the connection is closed."""
        picture = self.picture
        self.assertEqual(401, self.connect(self.daemon, "a-wrong-token").verify("x", picture).status)
        self.assert_clean("401")
        self.assertEqual(415, self.client.request("POST", "/v1/verifications", picture, {"Content-Type": "x"}).status)
        self.assert_clean("415")
        self.assertEqual(413, self.client.verify("x", picture * 250).status)
        self.assert_clean("413")

    def test_while_the_rest_of_a_refused_body_arrives(self):
        head = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        with Wire(self.daemon.url) as wire:
            wire.send(head + self.picture[:5000])
            answer = b""
            while chunk := wire.socket.recv(65536):
                answer += chunk
            self.assertIn(b" 401 ", answer.split(b"\r\n")[0])
            # The server has said all it says, and reads on for a while so that its answer is not lost to a reset.
            self.assertTrue(wire.send(self.picture))
            for _ in range(3):
                self.assert_clean("the rest of the body")

    def test_after_what_is_not_http(self):
        start = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + self.stand.token.encode()
        kind = b"\r\nContent-Type: application/json\r\n"
        for what, data in {
                "a body longer than it says": start + kind + b'Content-Length: 20\r\n\r\n{"image":"' + self.text,
                "the picture as a request": self.picture + b"\r\n\r\n",
                "as a target": b"GET /" + self.text[:4000] + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                "as a header": start + b"\r\nX-Image: " + self.text[:4000] + b"\r\n\r\n",
                "as too long a header": start + b"\r\nX-Image: " + self.text + b"\r\n\r\n",
                "chunked": start + kind + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n" + self.text}.items():
            with Wire(self.daemon.url) as wire:
                wire.send(data)
                try:
                    self.assertTrue(wire.socket.recv(65536), what)
                except ConnectionResetError:
                    pass
            self.wait_idle()
            self.assert_clean(what)

    def test_after_the_caller_left(self):
        start = b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + self.stand.token.encode()
        with Wire(self.daemon.url) as wire:
            wire.send(start + b"\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n" + self.text)
        self.wait_for_log(self.daemon, "route=verify status=400")
        self.wait_idle()
        self.assert_clean("the caller left")

    def test_after_a_png(self):
        """A codec with buffers of its own for the file's bytes."""
        picture = noise()
        reply = self.client.verify("x", picture, channel=CHANNEL)
        self.assert_problem(reply, 422, "NO_FACE")
        self.assert_clean("PNG", picture)
        self.assert_problem(self.client.verify("x", picture[:-3000], channel=CHANNEL), 422, "UNREADABLE_IMAGE")
        self.assert_clean("damaged PNG", picture)

    def wait_idle(self):
        """Until no worker serves a connection, as /metrics says."""
        self.client.close()
        self.wait_for_metrics(self.daemon, 'visaged_connections{state="open"} 0')
