"""A marked picture after its request: in no memory, on no disk, in no log [8.2.2g] [8.2.2h].

test_memory.py goes through the ways a request can end, with the file's bytes; here it is the pixels and the feature too, and
every place outside the daemon's memory that a library could write to.
"""
import contextlib
import ctypes
import hashlib
import os
import random
import re
import unittest
import zlib

import cv2
import numpy

from fixture import CHANNEL, PERSON, SAME_PERSON, HttpTest
from memory import needles, search, writable
from rig import pictures
from sealing import Page

SIDE = 640
# Where libraries put what is too large for memory, and where a careless one would put a copy.
ELSEWHERE = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/var/log", "/var/crash", "/var/lib/systemd/coredump")


def marked():
    """(PNG, its rows): every pixel is its own, so any piece of it names it."""
    rows = [random.Random(y).randbytes(SIDE) for y in range(SIDE)]
    return pictures.png(SIDE, SIDE, zlib.compress(b"".join(b"\0" + row for row in rows))), rows


def pixels(rows):
    """The decoded picture, as grey and as the three equal channels that the pipeline works on."""
    found = {}
    for y in range(0, len(rows), 40):
        piece = rows[y][200:216]
        found[f"grey row {y}"] = piece
        found[f"BGR row {y}"] = bytes(value for value in piece for _ in range(3))
    return found


class Contents(ctypes.Structure):
    """probe::Contents of src/core/probe/probe.h: what is kept of an ID photo until it is compared."""
    class Liveness(ctypes.Structure):
        _fields_ = [("method", ctypes.c_uint8), ("value", ctypes.c_float)]

    class Quality(ctypes.Structure):
        _fields_ = [("measure", ctypes.c_uint8), ("scalar", ctypes.c_uint8), ("native", ctypes.c_float)]

    _fields_ = [("dimension", ctypes.c_uint16), ("model_length", ctypes.c_uint8), ("model", ctypes.c_char * 64),
                ("model_digest", ctypes.c_uint8 * 16), ("image_digest", ctypes.c_uint8 * 32), ("liveness_count", ctypes.c_uint8),
                ("liveness", Liveness * 16), ("quality_count", ctypes.c_uint8), ("quality", Quality * 64),
                ("feature", ctypes.c_float * 2048)]


def kept_features(pid, picture):
    """The features of a picture, as bytes, that are in a process's memory in a probe's contents: known by the picture's digest."""
    digest = hashlib.sha256(picture).digest()
    for _, data in writable(pid):
        at = data.find(digest)
        while at >= 0:
            begin = at - Contents.image_digest.offset
            if begin >= 0:
                size = ctypes.sizeof(Contents)  # its end is a page of zeros, which the search leaves out
                found = Contents.from_buffer_copy(data[begin:begin + size].ljust(size, b"\0"))
                values = numpy.array(found.feature[:found.dimension])
                if found.dimension >= 64 and abs(numpy.sum(values * values) - 1) < 1e-3:
                    yield bytes(found.feature)[:4 * found.dimension]
            at = data.find(digest, at + 1)


@unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
class Features(HttpTest):
    """[8.2.2g] What may be compared is in no memory either, once it was."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start("features", max_connections=4)
        self.client = self.connect(self.daemon)
        # PNG: there is one way to decode it.
        self.pixels = cv2.imread(os.path.join(pictures.PORTRAITS, PERSON + ".jpg"))
        self.picture = cv2.imencode(".png", self.pixels)[1].tobytes()

    def marks(self, feature):
        """The file, its pixels in both orders of the colours, its feature."""
        found = needles(self.picture)
        middle = self.pixels.shape[0] // 2
        for y in range(middle - 100, middle + 100, 20):
            row = self.pixels[y, 200:216]
            found |= {f"BGR row {y}": row.tobytes(), f"RGB row {y}": row[:, ::-1].tobytes()}
        return found | {f"feature {i}": feature[i:i + 24] for i in range(0, len(feature) - 24, 24)}

    def test_a_face_and_its_feature(self):
        """[8.2.2g] [8.2.2h] [8.2.4d] An ID photo's feature is there until it was compared; after that, and after any other call, there is none."""
        client, subject = self.client, "marked/feature"
        opened = client.open_session(None, "compare", channel=CHANNEL).json
        reply = client.post("/v1/id-photos", {"session": opened["session"], "subject": subject, "document": self.picture})
        self.assertEqual(200, reply.status, reply.body)
        kept = list(kept_features(self.daemon.process.pid, self.picture))
        self.assertEqual(1, len(kept), "the search does not find what must be there")
        marks = self.marks(kept[0])
        reply = client.post("/v1/comparisons", {"image": self.picture, "session": opened["session"], "nonce": opened["nonce"], "channel": CHANNEL})
        self.assertEqual("accept", reply.decision, reply.body)
        self.assert_gone(marks, "comparison")
        self.assertEqual(201, client.register(subject, self.picture, channel=CHANNEL).status)
        self.assert_gone(marks, "registration")
        self.assertEqual("accept", client.verify(subject, self.picture, channel=CHANNEL).decision)
        self.assert_gone(marks, "verification")
        self.assertEqual(200, client.post("/v1/quality", {"image": self.picture, "marks": "true"}).status)
        self.assert_gone(marks, "quality")
        self.assertEqual(200, client.cancel(subject, channel=CHANNEL).status)

    def assert_gone(self, marks, what):
        self.assertEqual([], [line.split(":")[0] for line in search(self.daemon.process.pid, marks)], what)


@unittest.skipUnless(os.getuid() == 0, "only root reads another process's memory")
class Marker(HttpTest):
    def setUp(self):
        super().setUp()
        self.daemon = self.start("marker", max_connections=4, log_level="debug", server_timing=True)
        self.client = self.connect(self.daemon)
        self.picture, self.rows = marked()

    def send(self):
        """By every way in; none of them keeps it."""
        client, picture = self.client, self.picture
        self.assertEqual("NO_FACE", client.verify("marked", picture, channel=CHANNEL).code)
        self.assertEqual("NO_FACE", client.register("marked", picture, channel=CHANNEL).code)
        self.assertEqual("NO_FACE", client.compare(picture, picture, channel=CHANNEL).code)
        self.assertEqual("NO_FACE", client.post("/v1/quality", {"image": picture}).code)
        reply = client.post_json("/v1/verifications", {"subject": "marked", "image": picture, "channel": CHANNEL})
        self.assertEqual("NO_FACE", reply.code)
        self.assertEqual(401, self.connect(self.daemon, "wrong").verify("marked", picture).status)
        self.assertEqual("UNREADABLE_IMAGE", client.verify("marked", picture[:-20], channel=CHANNEL).code)
        self.assertEqual(400, client.post("/v1/verifications", {"image": picture}).status)
        session = client.open_session(None, "compare", channel=CHANNEL).json
        self.assertEqual("NO_FACE", client.post("/v1/id-photos", {"session": session["session"], "subject": "marked", "document": picture}).code)
        page = Page(client.request("GET", "/v1/frame-key").json["key"], session["nonce"])
        parts = {"session": session["session"], "nonce": session["nonce"], "channel": CHANNEL, "page_key": page.point.hex()}
        self.assertEqual("NO_FACE", client.post("/v1/comparisons", {**parts, "frames": page.bundle([picture] * 3), "document": picture}).code)

    def test_nowhere_afterwards(self):
        self.send()
        marks = {**needles(self.picture), **pixels(self.rows)}
        witness = self.daemon.settings["source_key_file"].encode()
        found = search(self.daemon.process.pid, {"witness": witness, **marks})
        self.assertTrue(any(line.startswith("witness") for line in found), "the search does not find what must be there")
        self.assertEqual([], [line for line in found if not line.startswith("witness")])
        searched = 0
        for path in self.files():
            try:
                with open(path, "rb") as file:
                    data = file.read(64 << 20)
            except OSError:
                continue
            searched += 1
            for what, mark in marks.items():
                self.assertNotIn(mark, data, f"{what} in {path}")
        self.assertGreater(searched, 100)

    def files(self):
        """What was written since the daemon started, wherever, and all that the cluster has: data, log of the server,
        write-ahead log, log of the daemon."""
        self.cluster.psql("CHECKPOINT")
        started = os.stat(self.daemon.config).st_mtime
        for top in (self.cluster.stage, *ELSEWHERE):
            for directory, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(directory, name)
                    try:
                        facts = os.lstat(path)
                    except OSError:
                        continue
                    regular = facts.st_mode & 0o170000 == 0o100000
                    if regular and (top == self.cluster.stage or facts.st_mtime >= started):
                        yield path

    def test_the_daemon_holds_no_file_that_it_could_write_to(self):
        """Its open files: sockets, its log, what the kernel made. No temporary file, deleted or not."""
        self.send()
        directory = f"/proc/{self.daemon.process.pid}/fd"
        seen = 0
        for number in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError):  # a connection that ends meanwhile
                target = os.readlink(os.path.join(directory, number))
                seen += 1
                if target.startswith(("socket:", "anon_inode:", "pipe:", "/dev/null")) or target == self.daemon.log:
                    continue
                with open(f"/proc/{self.daemon.process.pid}/fdinfo/{number}") as file:
                    flags = int(re.search(r"flags:\s+(\d+)", file.read())[1], 8)
                self.assertEqual(os.O_RDONLY, flags & os.O_ACCMODE, target)
        self.assertGreater(seen, 5)

    def test_the_model_runtime_keeps_no_diary(self):
        """ONNX Runtime 1.30 kept events in the home directory and a log in /tmp, and sent them to its maker."""
        home = os.path.join(self.cluster.stage, "home")
        os.mkdir(home)
        before = set(os.listdir("/tmp"))
        daemon = self.start("diary", environment={"HOME": home, "XDG_CACHE_HOME": home, "ORT_DISABLE_TELEMETRY": "0"})
        self.connect(daemon).verify("marked", self.portrait(PERSON), channel=CHANNEL)
        pid = daemon.process.pid
        self.assertEqual(0, daemon.stop())
        self.assertEqual([], os.listdir(home))
        self.assertEqual([], [name for name in set(os.listdir("/tmp")) - before if str(pid) in re.findall(r"\d+", name)])

    def test_pages_are_locked(self):
        """[8.2.2g] Root's daemon may lock its memory, so it does: nothing is in swap, and nothing can come there."""
        self.client.verify("marked", self.portrait(PERSON), channel=CHANNEL)
        with open(f"/proc/{self.daemon.process.pid}/status") as file:
            sizes = {name: int(kb) for name, kb in re.findall(r"(Vm\w+):\s+(\d+) kB", file.read())}
        self.assertEqual(0, sizes["VmSwap"])
        self.assertGreater(sizes["VmLck"], 0.9 * sizes["VmRSS"])
        self.assertIn("visaged_memory_locked 1\n", self.daemon.get_admin("/metrics")[1])

    def test_only_what_is_sealed_leaves_the_daemon(self):
        """[8.2.2g] What the database is sent of a picture opens only under the source's key: it is nowhere in clear there."""
        portrait = self.portrait(SAME_PERSON)
        self.assertEqual("UNKNOWN_SUBJECT", self.client.verify("marked", portrait, channel=CHANNEL).code)
        backends = self.cluster.value("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity "
                                      "WHERE application_name = 'visaged'").split()
        searched = 0
        for pid in backends:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # of a daemon that has ended
                found = search(int(pid), {"witness": b"visaged", **needles(portrait)})
                os.stat(f"/proc/{pid}/exe")
                self.assertTrue(any(line.startswith("witness") for line in found))
                self.assertEqual([], [line for line in found if not line.startswith("witness")])
                searched += 1
        self.assertGreater(searched, 0)
