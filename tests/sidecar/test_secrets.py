"""Samples and secrets stay where they belong [8.2.2h] [8.1.4a]."""
import base64
import os
import re
import unittest

from fixture import CHANNEL, PERSON, SAME_PERSON, HttpTest
from rig import bank


def pieces(picture, count=40):
    """Slices that occur in no other file: a leak of any part of the picture holds some of them."""
    step = max(1, len(picture) // count)
    return [picture[at:at + 24] for at in range(200, len(picture) - 24, step)]


class Traces(HttpTest):
    def make_traffic(self, daemon):
        client = self.connect(daemon)
        picture = self.portrait(PERSON)
        self.assertEqual(201, client.register("traced", picture, channel=CHANNEL).status)
        self.assertEqual("accept", client.verify("traced", self.portrait(SAME_PERSON), channel=CHANNEL).decision)
        client.post_json("/v1/verifications", {"subject": "traced", "image": picture, "channel": CHANNEL})
        client.verify("traced", picture[:len(picture) // 2], channel=CHANNEL)  # and of a failure
        client.post("/v1/verifications", {"image": picture})
        self.connect(daemon, "a-wrong-token").verify("traced", picture)
        client.cancel("traced", channel=CHANNEL)
        return picture

    def test_neither_logs_nor_disk(self):
        daemon = self.start("traced", log_level="debug")
        picture = self.make_traffic(daemon)
        with open(self.stand.source_key) as file:
            source_key = file.read().strip().encode()
        self.cluster.psql("CHECKPOINT")
        needles = {b"token": self.stand.token.encode(), b"wrong token": b"a-wrong-token", b"source key": source_key,
                   b"part of the source key": source_key[20:60]}
        needles |= {b"picture %d" % at: piece for at, piece in enumerate(pieces(picture))}
        encoded = base64.b64encode(picture)
        needles |= {b"base64 picture %d" % at: piece for at, piece in enumerate(pieces(encoded))}
        self.wait_for_log(daemon, "route=register status=201")
        searched = 0
        for directory, _, files in os.walk(self.cluster.stage):
            for name in files:
                path = os.path.join(directory, name)
                if path in (self.stand.source_key,) or not os.path.isfile(path) or name.endswith(("later.key", "two.jpg")):
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                searched += 1
                for what, needle in needles.items():
                    self.assertNotIn(needle, data, f"{what} in {path}")
        self.assertGreater(searched, 500)
        self.assertNotIn("traced", re.sub(r"\S*/\S*", "", daemon.log_text()))  # subjects are not logged

    @unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
    def test_memory_after_the_answer(self):
        """The upload does not outlive its request in the daemon's memory."""
        daemon = self.start("memory")
        picture = self.make_traffic(daemon)
        needles = pieces(picture, 8) + pieces(base64.b64encode(picture), 8)
        path = daemon.settings["source_key_file"].encode()
        found = seen = 0
        pid = daemon.process.pid
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if "w" not in rights or "[v" in line:
                    continue
                start, end = (int(edge, 16) for edge in span.split("-"))
                if end - start > 1 << 30:  # a sanitizer's shadow
                    continue
                try:
                    memory.seek(start)
                    data = memory.read(end - start)
                except (OSError, ValueError, OverflowError):
                    continue
                found += sum(data.count(needle) for needle in needles)
                seen += data.count(path)
        self.assertGreater(seen, 0, "the search does not even find what must be there")
        self.assertEqual(0, found, f"of {len(needles)} pieces")

    def test_process_leaves_no_core(self):
        pid = self.stand.daemon.process.pid
        with open(f"/proc/{pid}/limits") as file:
            self.assertRegex(file.read(), r"Max core file size\s+0\s+0\s")
        # Not dumpable: its /proc files belong to root, whoever runs it.
        self.assertEqual(0, os.stat(f"/proc/{pid}/mem").st_uid)

    def test_password_in_settings_is_refused(self):
        from rig.cluster import Failed
        with self.assertRaises(Failed) as caught:
            self.start("password", wait=False, database="dbname=postgres password=geheim")
        self.assertIn("passfile", str(caught.exception))
        self.assertNotIn("geheim", str(caught.exception))
