"""Samples, factors and secrets stay where they belong [8.2.2h] [8.1.4a]."""
import os
import re
import unittest

from fixture import CHANNEL, PERSON, SAME_PERSON, HttpTest
from memory import needles, search
from rig.client import registration

SECRETS = {"password": "Stable-Haltered-4711", "new password": "Quartz \\ Lantern-0815", "short password": "Zq#9vXw",
           "wrong password": "Never-Enrolled-3141", "totp secret": "KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD", "code": "q7#x%Z!kW",
           "refused": "Refused-Evidence-2718", "long password": "x" * 1900 + "-End-Of-A-Long-One-1618"}
# What is searched for: of a long one its end, which no shorter message overwrites.
TRACES = {name: secret[-24:].encode() for name, secret in SECRETS.items()}


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
        self.show_factors(client)
        client.cancel("traced", channel=CHANNEL)
        # Last, each on a thread of its own: nothing overwrites what it leaves behind.
        session = client.open_session("traced", "verify", channel=CHANNEL).json["session"]
        for kind in ("code", "long password"):
            self.assertEqual("WRONG_FACTOR", self.connect(daemon).present(session, "totp", evidence=SECRETS[kind]).code)
        return picture

    def show_factors(self, client):
        """Secrets as JSON and as a form, right and wrong; each is to be found in no file and no memory."""
        factors = registration("traced") + "/factors"
        named = {"channel": CHANNEL}
        enrolled = [client.post_json(factors, {"kind": "password", "secret": SECRETS["password"], **named}),
                    client.post(factors, {"kind": "totp", "secret": SECRETS["totp secret"], **named}),
                    client.send_json("PUT", factors + "/password", {"secret": SECRETS["new password"], **named})]
        self.assertEqual(["accept"] * 3, [reply.decision for reply in enrolled])
        short = client.post_json(factors, {"kind": "password", "secret": SECRETS["short password"], **named})
        self.assertEqual(400, short.status)
        session = client.open_session("traced", "cancel", **named).json["session"]
        self.assertEqual("WRONG_FACTOR", client.present(session, "password", evidence=SECRETS["wrong password"]).code)
        reply = client.post(f"/v1/sessions/{session}/factors", {"kind": "password", "evidence": SECRETS["new password"]})
        self.assertEqual("accept", reply.decision)
        self.assert_problem(client.present(session, "no kind", evidence=SECRETS["refused"]), 400, "INVALID_VALUE")

    def test_neither_logs_nor_disk(self):
        daemon = self.start("traced", log_level="debug")
        picture = self.make_traffic(daemon)
        with open(self.stand.source_key) as file:
            source_key = file.read().strip().encode()
        self.cluster.psql("CHECKPOINT")
        marks = {b"token": self.stand.token.encode(), b"wrong token": b"a-wrong-token", b"source key": source_key,
                   b"part of the source key": source_key[20:60]}
        marks |= needles(picture, 40)
        marks |= TRACES
        self.wait_for_log(daemon, "route=register status=201")
        searched = 0
        for directory, _, files in os.walk(self.cluster.stage):
            for name in files:
                path = os.path.join(directory, name)
                if path in (self.stand.source_key,) or not os.path.isfile(path) or name.endswith(("later.key", "two.jpg")):
                    continue
                try:
                    with open(path, "rb") as file:
                        data = file.read()
                except FileNotFoundError:  # the server works on
                    continue
                searched += 1
                for what, needle in marks.items():
                    self.assertNotIn(needle, data, f"{what} in {path}")
        self.assertGreater(searched, 500)
        self.assertNotIn("traced", re.sub(r"\S*/\S*", "", daemon.log_text()))  # subjects are not logged

    @unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
    def test_memory_after_the_answer(self):
        """The upload does not outlive its request in the daemon's memory."""
        daemon = self.start("memory")
        picture = self.make_traffic(daemon)
        marks = {"witness": daemon.settings["source_key_file"].encode(), **needles(picture, 8), **TRACES}
        found = search(daemon.process.pid, marks)
        self.assertTrue(any(line.startswith("witness") for line in found), "the search does not find what must be there")
        self.assertEqual([], [line for line in found if not line.startswith("witness")])

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
