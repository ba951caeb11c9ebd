"""The demo's calls."""
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from rig import pictures
from rig.client import Client

CHANNEL = "demo"


class Flows:
    def __init__(self, url, token, latency):
        self.url, self.token, self.latency = url, token, latency
        self.local = threading.local()

    def client(self):
        if not hasattr(self.local, "client"):
            self.local.client = Client(self.url, self.token)
        return self.local.client

    def register(self, subject, name):
        reply = self.client().register(subject, pictures.portrait(name), channel=CHANNEL, biz_id=f"open-{subject}")
        self.latency.add("registration", reply)
        return reply

    def verify(self, subject, name):
        reply = self.client().verify(subject, pictures.portrait(name), channel=CHANNEL)
        self.latency.add("verification", reply)
        return reply

    def compare(self, live, document):
        reply = self.client().compare(pictures.portrait(live), pictures.portrait(document), channel=CHANNEL)
        self.latency.add("comparison", reply)
        return reply

    def verify_all(self, pairs, progress):
        """Replies in the order of pairs, made on every core."""
        replies = []
        pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
        try:
            for reply in pool.map(lambda pair: self.verify(*pair), pairs):
                replies.append(reply)
                progress(len(replies), len(pairs))
        finally:
            # When the demo is stopped, what has not begun need not.
            pool.shutdown(cancel_futures=True)
        return replies

    def refusals(self, directory, known):
        """(what was sent, reply) of what must not become a registration or a verdict."""
        client = self.client()
        first, second, again = known
        whole = pictures.portrait(first)
        cases = [
            ("registration: a picture without a face", client.register, pictures.faceless(), "NO_FACE"),
            ("registration: a picture with two faces", client.register,
             pictures.side_by_side(first, second, directory), "SEVERAL_FACES"),
            ("registration: a truncated file", client.register, whole[:len(whole) // 2], "UNREADABLE_IMAGE"),
            ("registration: a 100-megapixel PNG of 100 kB", client.register, pictures.bomb(), "IMAGE_TOO_LARGE"),
            ("registration: a text file", client.register, b"not a picture", "UNSUPPORTED_IMAGE"),
        ]
        for words, call, image, wanted in cases:
            yield words, call("somebody", image, channel=CHANNEL), wanted
        yield ("registration: a name that is taken", client.register("person-1", whole, channel=CHANNEL),
               "SUBJECT_EXISTS")
        yield ("verification: 512 px wide, where the standard asks 640", client.verify("person-1", pictures.portrait(again)),
               "QUALITY")
        yield ("verification: somebody never registered", client.verify("nobody", whole, channel=CHANNEL),
               "UNKNOWN_SUBJECT")
        yield "verification: a wrong token", Client(self.url, "wrong").verify("person-1", whole), "UNAUTHENTICATED"
