#!/usr/bin/python3
"""Puts the models, the runtime and the demo portraits of tools/models.json into place.

Every file is known by its sha256 before it is fetched, so where it comes from is a matter of convenience: what is in
place is left alone, then the cache is asked, then the sources in the manifest's order. Nothing is written under its
final name before its hash is right, and npm packages are only unpacked: none of their code ever runs.
"""
import argparse
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # no root-owned __pycache__ in the tree after sudo
sys.path.insert(0, str(TOOLS))

ARCH = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())


class Failure(Exception):
    """Something is missing; the next source may have it."""


class WrongHash(Failure):
    """Something arrived that is not what the manifest names. That needs a person, not the next source."""


@dataclass
class Want:
    name: str        # inside the models folder
    hashes: tuple    # accepted; the first is the preferred build


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def size_of(path):
    """Bytes in a file, or in all files below a folder that npm is writing to."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except OSError:
                pass  # npm renames its files while we look
    return total


def write(path, data):
    """Write and rename, readable by the user that the daemon will run as."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.chmod(0o644)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


class Progress:
    """One line that ticks on a terminal; a line every five seconds in a log."""

    def __init__(self):
        self.start = self.said = time.monotonic()
        self.ticking = False

    def tick(self, done, total=0):
        now = time.monotonic()
        terminal = sys.stdout.isatty()
        if now - self.said < (0.2 if terminal else 5):
            return
        self.said, of = now, f" of {total / 1e6:.1f}" if total else ""
        text = f"    {done / 1e6:.1f}{of} MB, {now - self.start:.0f} s"
        print(f"\r{text}   " if terminal else text, end="" if terminal else "\n", flush=True)
        self.ticking |= terminal

    def close(self):
        if self.ticking:
            print()


class Fetcher:
    def __init__(self, manifest, models, cache, offline):
        self.manifest, self.models, self.cache, self.offline = manifest, models, cache, offline
        self.downloads = {}  # one download serves every entry that names the same package
        self.work = None
        self.fetched = 0

    def wants(self, entry):
        if "list" not in entry:
            return [Want(entry["file"], accepted(entry))]
        lines = (self.manifest.parent / entry["list"]).read_text().splitlines()
        return [Want(f"{entry['file']}/{name}", (sha,)) for sha, name in (line.split(None, 1) for line in lines)]

    def cached(self, sha):
        path = self.cache / sha
        if not path.exists():
            return None
        if digest(path) == sha:
            return path
        print(f"    {path} is damaged; removed")  # a full disk or a bad copy by hand; never worth keeping
        path.unlink()
        return None

    # --- one source ---

    def npm_pack(self, spec):
        npm = shutil.which("npm")
        if not npm:
            raise Failure("npm is not on PATH (tools/setup without --no-apt installs it)")
        folder = Path(tempfile.mkdtemp(dir=self.work))
        # Its own cache folder: shows how far the download is, and nothing of the package is left behind afterwards.
        command = [npm, "pack", spec, "--ignore-scripts", "--loglevel=error", "--update-notifier=false",
                   f"--cache={folder / 'npm'}", f"--pack-destination={folder}", "--fetch-retries=1",
                   "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"]
        progress = Progress()
        with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors="replace") as process:
            try:
                while True:
                    try:
                        _, errors = process.communicate(timeout=0.5)
                        break
                    except subprocess.TimeoutExpired:
                        progress.tick(size_of(folder))
            except BaseException:  # stopped: without this, leaving the block would wait for npm
                process.kill()
                raise
        progress.close()
        packed = list(folder.glob("*.tgz"))
        if process.returncode or not packed:
            lines = [line for line in errors.splitlines() if "npm warn" not in line.lower() and "debug-0.log" not in line]
            raise Failure(f"npm pack: {' '.join(lines)[:300] or 'exit %d' % process.returncode}")
        return packed[0]

    def download(self, url):
        target, progress = Path(tempfile.mkdtemp(dir=self.work)) / "download", Progress()
        try:
            with urllib.request.urlopen(url, timeout=30) as response, open(target, "wb") as file:
                total = int(response.headers.get("Content-Length") or 0)
                while block := response.read(1 << 16):
                    file.write(block)
                    progress.tick(file.tell(), total)
                if total and file.tell() != total:
                    raise Failure(f"the connection closed after {file.tell()} of {total} bytes")
        except (urllib.error.URLError, OSError) as error:
            raise Failure(str(getattr(error, "reason", None) or error))
        finally:
            progress.close()
        return target

    def raw(self, source):
        """The package or file a source names, downloaded at most once a run; a failure is remembered too."""
        sha = source.get("archive_sha256")
        if sha and (path := self.cached(sha)):  # put there by hand
            return path
        key = title(source)
        if key not in self.downloads:
            if self.offline:
                raise Failure("not asked: --offline")
            print(f"    from {key}", flush=True)
            try:
                self.downloads[key] = self.npm_pack(source["npm"]) if "npm" in source else self.download(source["url"])
            except Failure as failure:
                self.downloads[key] = failure
        if isinstance(self.downloads[key], Failure):
            raise self.downloads[key]
        if sha and (found := digest(self.downloads[key])) != sha:
            raise WrongHash(f"the archive has sha256\n      found  {found}\n      wanted {sha}")
        return self.downloads[key]

    def extract(self, source, names):
        """{name: bytes}; names are None for a single file, else paths below the source's folder."""
        raw, path = self.raw(source), source.get("path")
        try:
            if path is None:
                found = {None: raw.read_bytes()}
            else:
                found = untar(raw, {f"{path}/{name}" if name else path: name for name in names})
            if "member" in source:
                with zipfile.ZipFile(BytesIO(found[None])) as archive:
                    found = {None: archive.read(source["member"])}
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise Failure(f"not a readable archive: {error}")
        except KeyError as error:
            raise Failure(f"has no {str(error).strip(chr(39))}")
        return found

    # --- one entry ---

    def from_sources(self, entry, wants, names):
        """Asks the sources in order until one gives every wanted file; stores them in the cache."""
        tried = []
        for source in entry["sources"]:
            try:
                found = self.extract(source, names)
                for want, name in zip(wants, names):
                    accept = (source["sha256"],) if "sha256" in source else want.hashes[:1]
                    sha = hashlib.sha256(found[name]).hexdigest()
                    if sha not in accept:
                        raise WrongHash(f"{want.name} has sha256\n      found  {sha}\n      wanted {accept[0]}")
                    write(self.cache / sha, found[name])
                return
            except WrongHash as wrong:
                tried.append((source, wrong))
                rest = entry["sources"][len(tried):]
                tried += [(other, "not tried: a wrong hash is worth a look first") for other in rest]
                raise WrongHash(explain(entry, tried, wants, self.cache, altered=True))
            except Failure as failure:
                print(f"    {title(source)}: {failure}", flush=True)
                tried.append((source, failure))
        raise Failure(explain(entry, tried, wants, self.cache, offline=self.offline))

    def converted(self, entry, want):
        """The ONNX form of an entry whose sources hold TFLite."""
        plan = entry["convert"]
        source = Want(f"{want.name} (its TFLite source)", (plan["sha256"],))
        if not self.cached(plan["sha256"]):
            self.from_sources(entry, [source], [None])
        try:
            from tflite.convert import convert
            from tflite.reader import FormatError, read
        except ImportError as error:
            raise Failure(f"{want.name}: cannot convert: {error}\n  next: apt-get install python3-onnx python3-numpy "
                          "(tools/setup without --no-apt does it); both must be visible to /usr/bin/python3")
        print("    converting TFLite to ONNX", flush=True)
        try:
            data = convert(read((self.cache / plan["sha256"]).read_bytes()), Path(want.name).stem,
                           plan["inputs"], plan["outputs"])
        except FormatError as error:
            raise Failure(f"{want.name}: cannot convert: {error}")
        found = hashlib.sha256(data).hexdigest()
        if found not in want.hashes:
            raise WrongHash(f"{want.name}: the conversion gave other bytes than expected\n      found  {found}\n"
                            f"      wanted {want.hashes[0]}\n  next: see whether tools/tflite or python3-onnx changed; "
                            "if the change is meant, run tests/setup and put the new hash into tools/models.json")
        write(self.cache / found, data)

    def place(self, entry):
        """Brings one entry into place; returns how many files it had to write."""
        missing = []
        for want in self.wants(entry):
            target = self.models / want.name
            if not target.exists():
                missing.append(want)
            elif (found := digest(target)) not in want.hashes:
                print(f"  {target} is not the manifest's file; replacing it\n      found  {found}\n"
                      f"      wanted {want.hashes[0]}")
                missing.append(want)
        if not missing:
            return 0
        print(f"  {entry['role']}: {entry['file']} ({entry['licence']})", flush=True)
        absent = [w for w in missing if not any(self.cached(h) for h in w.hashes)]
        if absent and "convert" in entry:
            self.converted(entry, absent[0])
        elif absent:
            self.from_sources(entry, absent, [w.name.removeprefix(entry["file"] + "/") for w in absent]
                              if "list" in entry else [None])
        for want in missing:
            path = next(path for h in want.hashes if (path := self.cached(h)))
            write(self.models / want.name, path.read_bytes())
        return len(missing)

    def run(self, entries):
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            # In the cache and not in /tmp: the packages are large, and /tmp is often memory.
            self.work = tempfile.mkdtemp(prefix="work-", dir=self.cache)
        except OSError as error:
            raise Failure(f"the cache {self.cache} cannot be written: {error.strerror}\n"
                          "  next: set XDG_CACHE_HOME to a folder you own")
        try:
            return sum(self.place(entry) for entry in entries)
        finally:
            shutil.rmtree(self.work, ignore_errors=True)

    def verify(self, entries):
        """Reads everything, changes nothing; returns one line per fault."""
        faults = []
        for entry in entries:
            for want in self.wants(entry):
                target = self.models / want.name
                if not target.exists():
                    faults.append(f"{target} is missing")
                elif (found := digest(target)) not in want.hashes:
                    faults.append(f"{target} is altered\n      found  {found}\n      wanted {want.hashes[0]}")
        return faults


def accepted(entry):
    return (entry["sha256"], *(s["sha256"] for s in entry["sources"] if "sha256" in s))


def title(source):
    return f"npm {source['npm']}" if "npm" in source else source["url"]


def untar(path, wanted):
    """{key: bytes} for {path inside the archive, without its root folder: key}; one pass, nothing touches the disk."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            inside = member.name.removeprefix("./").partition("/")[2]
            if inside in wanted and member.isfile():
                found[wanted[inside]] = archive.extractfile(member).read()
                if len(found) == len(wanted):
                    break
    for inside, key in wanted.items():
        if key not in found:
            raise KeyError(inside)
    return found


def explain(entry, tried, wants, cache, altered=False, offline=False):
    lines = [f"{entry['role']}: {entry['file']} " + ("came with a wrong hash" if altered else "cannot be had")]
    lines += [f"    {title(source)}{' ' + source['path'] if 'path' in source else ''}: {why}" for source, why in tried]
    if altered:
        lines.append("  next: do not use that file; ask whoever runs your npm mirror or proxy, then run tools/setup again,")
    elif offline:
        lines.append("  next: run tools/setup once without --offline,")
    else:
        lines.append("  next: check network, proxy and `npm config get registry`, then run tools/setup again,")
    archives = [s["archive_sha256"] for s in entry["sources"] if "archive_sha256" in s]
    if len(wants) == 1:
        lines.append(f"  or put the file there by hand: {cache / wants[0].hashes[0]}")
    elif archives:
        lines.append(f"  or put the package {title(entry['sources'][0])} (.tgz) there by hand: {cache / archives[0]}")
    lines.append("  and run tools/setup --offline; the name is the sha256 that is checked")
    return "\n".join(lines)


def select(artifacts, only):
    """The entries for this machine; optional ones only when asked for by name."""
    roles = [a["role"] for a in artifacts]
    for role in only:
        if role not in roles:
            raise Failure(f"no role {role} in the manifest; there are: {', '.join(dict.fromkeys(roles))}")
    chosen = [a for a in artifacts if a.get("arch", ARCH) == ARCH
              and (a["role"] in only if only else not a.get("optional"))]
    wanted = only or [a["role"] for a in artifacts if not a.get("optional")]
    for role in wanted:
        if role not in [a["role"] for a in chosen]:
            raise Failure(f"{role}: the manifest has nothing for {ARCH}\n"
                          "  next: add an entry with this arch and its sha256 to tools/models.json")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, default=TOOLS / "models.json")
    parser.add_argument("--models", type=Path, default=TOOLS.parent / "models", help="where the files go")
    parser.add_argument("--offline", action="store_true", help="use the cache only")
    parser.add_argument("--verify", action="store_true", help="check what is in place, change nothing")
    parser.add_argument("--only", action="append", default=[], metavar="ROLE", help="this role only; may be repeated")
    args = parser.parse_args()
    # So that a killed run still removes its work folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("models: stopped"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pg_visage"
    try:
        entries = select(json.loads(args.manifest.read_text())["artifacts"], args.only)
        fetcher = Fetcher(args.manifest, args.models, cache, args.offline)
        count = sum(len(fetcher.wants(entry)) for entry in entries)
        if args.verify:
            faults = fetcher.verify(entries)
            if faults:
                raise Failure("\n  ".join([f"{len(faults)} of {count} files are not as they should be", *faults,
                                           "next: tools/setup puts the right ones in place"]))
            print(f"models: {count} files verified")
        else:
            written = fetcher.run(entries)
            print(f"models: {count} files in place, sha256 checked" + (f", {written} of them new" if written else ""))
    except Failure as failure:
        sys.exit(f"models: {failure}")
    except (ValueError, KeyError) as error:
        sys.exit(f"models: {args.manifest} is not a manifest: {error!r}\n  next: see tools/README.md for its fields")
    except OSError as error:
        sys.exit(f"models: {error.filename or ''}: {error.strerror}\n  next: check rights and free space, run it again")
    except KeyboardInterrupt:
        sys.exit("models: interrupted; run tools/setup again, nothing half-done was kept")


if __name__ == "__main__":
    main()
