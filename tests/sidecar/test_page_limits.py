"""What one capture page makes the daemon do is bounded [8.2.3c]: whoever holds a link takes nobody else's place."""
import collections
import concurrent.futures
import re
import threading
import time

import hostile
from fixture import LIMIT_S, STRANGER, HttpTest
from paged import PageCalls
from wire import Wire

CALLS = 1000


class PageLimits(PageCalls, HttpTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start("page-limits", page_listen="127.0.0.1:0", pipelines=1, waiting=2)
        self.client = self.connect(self.daemon)

    def test_one_picture_at_a_time(self):
        """[8.2.3c] Twelve connections of one page, as fast as they can: another page is served all the while."""
        image, over, refused = self.portrait(STRANGER), threading.Event(), threading.Event()
        _, _, greedy = self.opened(subject="greedy")
        _, modest, page = self.opened(subject="modest")

        def flood(client):
            answers = []
            while not over.is_set():
                reply = self.call(client, "frame", greedy["ticket"], image=image)
                answers.append((reply.status, reply.json.get("code")))
                if reply.status != 200:
                    refused.set()
            return answers

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            floods = [pool.submit(flood, self.browser()) for _ in range(12)]
            try:
                self.assertTrue(refused.wait(LIMIT_S))
                served = [self.call(modest, "frame", page["ticket"], image=image) for _ in range(5)]
            finally:
                over.set()
        self.assertEqual([200] * 5, [reply.status for reply in served], served[-1].body)
        self.assertEqual({(200, None), (429, "RATE_LIMITED")}, {answer for flood in floods for answer in flood.result()})
        # The turn is given back, whatever came of the picture.
        for bad in (b"no picture", image):
            reply = self.call(modest, "frame", page["ticket"], image=bad)
            self.assertEqual(422 if bad != image else 200, reply.status, reply.body)

    def test_calls_of_a_page_have_a_rate(self):
        """[8.2.3d] A hundred calls a second, and no page spends another's."""
        _, _, page = self.opened(subject="hasty")
        _, other, calm = self.opened(subject="calm")
        # One behind the other, without waiting for answers: faster than any page.
        asked = (f"POST /capture/cancel HTTP/1.1\r\nHost: test\r\nAuthorization: Capture {page['ticket']}\r\nContent-Length: 0\r\n\r\n").encode()
        with Wire(self.daemon.pages) as wire:
            sender = threading.Thread(target=wire.send, args=(asked * CALLS,))
            sender.start()
            data = b""
            while data.count(b"HTTP/1.1 ") < CALLS and (more := wire.socket.recv(1 << 20)):
                data += more
            seconds = time.monotonic() - wire.began
            sender.join()
        statuses = collections.Counter(re.findall(rb"HTTP/1\.1 (\d+)", data))
        self.assertEqual({b"403", b"429"}, set(statuses))  # not its turn; too often
        self.assertLessEqual(statuses[b"403"], 100 * (1 + seconds) + 1)
        self.assertGreaterEqual(statuses[b"403"], 90)
        self.assertIn(b"\r\nRetry-After: 1\r\n", data)
        self.assertEqual(200, self.call(other, "state", calm["ticket"]).status)

    def test_bad_pictures_from_strangers(self):
        """[8.2.3c] The listener that strangers reach takes polyglots, bombs, stumps and ten thousand parts as the API does."""
        _, client, page = self.opened(subject="stranger")
        picture = self.portrait(STRANGER)
        hostiles = {**hostile.MAGICS, **hostile.bombs(), "archive": picture + hostile.archive(), "half": picture[:len(picture) // 2],
                    "comment": hostile.with_comment(picture, b"<script>")}
        for name, data in hostiles.items():
            began = time.monotonic()
            reply = self.call(client, "frame", page["ticket"], image=data)
            self.assertIn(reply.status, (200, 422), (name, reply.body))  # 200: there is a picture, and nobody in it
            self.assertIsNot(reply.json.get("good"), True, name)
            self.assertNotIn(b"script", reply.body)
            self.assertLess(time.monotonic() - began, 30, name)
        part = b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx\r\n'
        headers = {"Authorization": "Capture " + page["ticket"], "Content-Type": "multipart/form-data; boundary=b"}
        for path in ("frame", "picture", "sealed-frame", "frames", "consent", "factor"):
            reply = client.request("POST", f"/capture/{path}", part * 10000 + b"--b--\r\n", headers)
            self.assertIn(reply.status, (400, 403, 413), (path, reply.body))
        self.assertEqual(200, self.call(client, "frame", page["ticket"], image=picture).status)
