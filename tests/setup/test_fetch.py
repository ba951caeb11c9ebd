"""tools/fetch_models.py against small manifests and local files: no network."""
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
import tempfile
import time
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FETCH = ROOT / "tools/fetch_models.py"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def tgz(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


class Fetch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.models, self.cache = self.dir / "models", self.dir / "home/pg_visage"
        self.bin = self.dir / "bin"
        self.bin.mkdir()

    def source(self, name, data):
        (self.dir / name).write_bytes(data)
        return {"url": (self.dir / name).as_uri()}

    def entry(self, data=b"weights", sources=(), **more):
        return {"role": "feature", "file": "a.onnx", "sha256": sha(data), "size": len(data), "licence": "Apache-2.0",
                "sources": list(sources), **more}

    def fetch(self, *entries, args=(), ok=True, npm=None):
        manifest = self.dir / "models.json"
        if entries:
            manifest.write_text(json.dumps({"version": 1, "artifacts": entries}))
        if npm:
            (self.bin / "npm").write_text(f"#!/bin/sh\n{npm}")
            (self.bin / "npm").chmod(0o755)
        done = subprocess.run([FETCH, "--manifest", manifest, "--models", self.models, *args], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": f"{self.bin}:/usr/bin:/bin", "XDG_CACHE_HOME": str(self.dir / "home")})
        self.assertNotIn("Traceback", done.stdout)
        self.assertEqual(done.returncode, 0 if ok else 1, done.stdout)
        self.assertEqual([p for p in self.dir.rglob("*") if p.name.endswith(".part") or p.name.startswith("work-")], [])
        return done.stdout

    def test_file_arrives_readable_for_the_daemon(self):
        self.fetch(self.entry(sources=[self.source("a", b"weights")]))
        self.assertEqual((self.models / "a.onnx").read_bytes(), b"weights")
        self.assertEqual(stat.S_IMODE((self.models / "a.onnx").stat().st_mode), 0o644)

    def test_wrong_hash_stops_and_shows_both(self):
        second = self.source("b", b"weights")
        out = self.fetch(self.entry(sources=[self.source("a", b"tampered"), second]), ok=False)
        for text in (sha(b"weights"), sha(b"tampered"), "a.onnx", "not tried", second["url"], "next:",
                     str(self.cache / sha(b"weights"))):
            self.assertIn(text, out)
        self.assertFalse((self.models / "a.onnx").exists())
        self.assertFalse((self.cache / sha(b"tampered")).exists())

    def test_missing_source_tries_the_next(self):
        missing = {"url": (self.dir / "none").as_uri()}
        out = self.fetch(self.entry(sources=[missing, self.source("b", b"weights")]))
        self.assertIn("No such file", out)
        self.assertEqual((self.models / "a.onnx").read_bytes(), b"weights")

    def test_no_source_left_lists_all_and_says_what_to_do(self):
        sources = [{"url": (self.dir / name).as_uri()} for name in ("none", "nothing")]
        out = self.fetch(self.entry(sources=sources), ok=False)
        for text in (sources[0]["url"], sources[1]["url"], "feature: a.onnx cannot be had", "next:",
                     str(self.cache / sha(b"weights")), "tools/setup --offline"):
            self.assertIn(text, out)

    def test_advice_of_the_error_works(self):
        entry = self.entry(sources=[{"url": (self.dir / "none").as_uri()}])
        self.fetch(entry, ok=False)
        (self.cache / sha(b"weights")).write_bytes(b"weights")
        self.fetch(entry, args=["--offline"])
        self.assertEqual((self.models / "a.onnx").read_bytes(), b"weights")

    def test_offline_works_from_the_cache_and_fails_clearly_without(self):
        entry = self.entry(sources=[self.source("a", b"weights")])
        out = self.fetch(entry, args=["--offline"], ok=False)
        self.assertIn("not asked: --offline", out)
        self.fetch(entry)
        (self.dir / "a").unlink()
        (self.models / "a.onnx").unlink()  # a second clone: same cache, empty models folder
        self.fetch(entry, args=["--offline"])
        self.assertEqual((self.models / "a.onnx").read_bytes(), b"weights")

    def test_second_run_fetches_nothing(self):
        entry = self.entry(sources=[self.source("a", b"weights")])
        self.fetch(entry)
        (self.dir / "a").unlink()
        before = (self.models / "a.onnx").stat().st_mtime_ns
        self.fetch(entry)
        self.assertEqual((self.models / "a.onnx").stat().st_mtime_ns, before)

    def test_altered_file_is_named_and_replaced(self):
        entry = self.entry(sources=[self.source("a", b"weights")])
        self.fetch(entry)
        (self.models / "a.onnx").write_bytes(b"flipped")
        out = self.fetch(args=["--verify"], ok=False)
        for text in ("a.onnx is altered", sha(b"weights"), sha(b"flipped"), "next:"):
            self.assertIn(text, out)
        self.assertIn(sha(b"flipped"), self.fetch(entry))
        self.fetch(args=["--verify"])

    def test_damaged_cache_is_fetched_again(self):
        entry = self.entry(sources=[self.source("a", b"weights")])
        self.fetch(entry)
        (self.cache / sha(b"weights")).write_bytes(b"half")
        (self.models / "a.onnx").unlink()
        self.assertIn("damaged", self.fetch(entry))
        self.assertEqual((self.models / "a.onnx").read_bytes(), b"weights")

    def test_npm_package_with_a_zip_inside(self):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("net.tflite", b"weights")
        (self.dir / "p.tgz").write_bytes(tgz({"package/assets/x.task": buffer.getvalue(), "package/evil.js": b"1"}))
        npm = f'for a; do case $a in --pack-destination=*) cp {self.dir}/p.tgz "${{a#*=}}/p-1.0.0.tgz";; esac; done\n' \
              f'echo "$@" >>{self.dir}/calls'
        one = self.entry(sources=[{"npm": "p@1.0.0", "path": "assets/x.task", "member": "net.tflite"}])
        two = {**one, "role": "again", "file": "b.onnx"}
        self.fetch(one, two, npm=npm)
        self.assertEqual((self.models / "b.onnx").read_bytes(), b"weights")
        calls = (self.dir / "calls").read_text().splitlines()
        self.assertEqual(len(calls), 1, "one download serves both")
        self.assertTrue(calls[0].startswith("pack p@1.0.0 --ignore-scripts"), calls)

    def test_npm_failure_is_passed_on(self):
        out = self.fetch(self.entry(sources=[{"npm": "p@1.0.0", "path": "x"}]), ok=False,
                         npm="echo 'npm error 404 no such package' >&2; exit 1")
        self.assertIn("npm p@1.0.0 x: npm pack: npm error 404 no such package", out)

    def test_path_that_is_not_in_the_archive(self):
        source = {**self.source("a.tgz", tgz({"package/y": b"weights"})), "path": "x"}
        self.assertIn("has no x", self.fetch(self.entry(sources=[source]), ok=False))

    def test_html_instead_of_an_archive(self):
        source = {**self.source("a.tgz", b"<html>proxy login</html>"), "path": "x"}
        self.assertIn("not a readable archive", self.fetch(self.entry(sources=[source]), ok=False))

    def folder_entry(self, source):
        (self.dir / "set.sha256").write_text("".join(f"{sha(d)}  {n}\n" for n, d in (("m/1.jpg", b"1"), ("w/2.jpg", b"2"))))
        return {"role": "portraits", "file": "portraits", "list": "set.sha256", "licence": "MIT", "sources": [source]}

    def test_folder_is_checked_file_by_file(self):
        good, bad = ({f"package/p/{n}": d for n, d in (("m/1.jpg", b"1"), ("w/2.jpg", two))} for two in (b"2", b"X"))
        out = self.fetch(self.folder_entry({**self.source("bad.tgz", tgz(bad)), "path": "p"}), ok=False)
        self.assertIn("portraits/w/2.jpg has sha256", out)
        self.fetch(self.folder_entry({**self.source("good.tgz", tgz(good)), "path": "p"}))
        self.assertEqual((self.models / "portraits/w/2.jpg").read_bytes(), b"2")

    def test_archive_hash_and_archive_by_hand(self):
        archive = tgz({"package/p/m/1.jpg": b"1", "package/p/w/2.jpg": b"2"})
        source = {**self.source("other.tgz", tgz({"package/p/x": b""})), "path": "p", "archive_sha256": sha(archive)}
        out = self.fetch(self.folder_entry(source), ok=False)
        self.assertIn(str(self.cache / sha(archive)), out)
        (self.cache / sha(archive)).write_bytes(archive)
        self.fetch(self.folder_entry(source), args=["--offline"])

    def test_second_source_may_hold_another_build(self):
        other = {**self.source("b", b"older build"), "sha256": sha(b"older build")}
        entry = self.entry(sources=[{"url": (self.dir / "none").as_uri()}, other])
        self.fetch(entry)
        self.fetch(entry, args=["--verify"])

    def test_optional_only_by_name_and_foreign_machines_never(self):
        optional = self.entry(sources=[self.source("a", b"weights")], optional=True)
        foreign = {**self.entry(sources=[]), "role": "runtime", "arch": "vax", "file": "so"}
        native = {**self.entry(sources=[self.source("b", b"weights")]), "role": "runtime", "file": "so"}
        self.fetch(optional, foreign, native)
        self.assertFalse((self.models / "a.onnx").exists())
        self.fetch(args=["--only", "feature"])
        self.assertTrue((self.models / "a.onnx").exists())
        self.assertIn("there are: feature, runtime", self.fetch(args=["--only", "nose"], ok=False))
        self.assertIn("runtime: the manifest has nothing for", self.fetch(foreign, ok=False))

    def test_broken_manifest_is_an_error_of_its_own(self):
        (self.dir / "models.json").write_text("{")
        self.assertIn("is not a manifest", self.fetch(ok=False))


class Manifest(unittest.TestCase):
    artifacts = json.loads((ROOT / "tools/models.json").read_text())["artifacts"]

    def hashes(self):
        for a in self.artifacts:
            yield from [a["sha256"]] if "sha256" in a else []
            yield from [a["convert"]["sha256"]] if "convert" in a else []
            for s in a["sources"]:
                yield from (s[k] for k in ("sha256", "archive_sha256") if k in s)
            if "list" in a:
                yield from (line.split()[0] for line in (ROOT / "tools" / a["list"]).read_text().splitlines())

    def test_every_entry_is_complete(self):
        for a in self.artifacts:
            with self.subTest(a["role"]):
                self.assertTrue(a["licence"] and a["about"] and a["sources"])
                self.assertTrue("list" in a or (len(a["sha256"]) == 64 and a["size"] > 0))
                self.assertFalse(Path(a["file"]).is_absolute() or ".." in a["file"])
                for s in a["sources"]:
                    self.assertTrue(("npm" in s) != ("url" in s))
                    self.assertRegex(s.get("npm", "x@1.0.0"), r".@\d+\.\d+\.\d+$", "an exact version")
                    self.assertRegex(s.get("url", "https://"), r"^https://")

    def test_hashes_are_hashes(self):
        for value in self.hashes():
            self.assertRegex(value, r"^[0-9a-f]{64}$")

    def test_a_role_has_one_file_a_machine(self):
        keys = [(a["role"], a.get("arch")) for a in self.artifacts]
        self.assertEqual(len(keys), len(set(keys)))

    @unittest.skipUnless((ROOT / "models/sface.onnx").exists(), "no models here yet, run tools/setup")
    def test_nothing_to_do_takes_under_five_seconds(self):
        start = time.monotonic()
        done = subprocess.run([ROOT / "tools/setup", "--verify"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertLess(time.monotonic() - start, 5)


if __name__ == "__main__":
    unittest.main()
