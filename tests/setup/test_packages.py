"""tools/setup's handling of Debian packages, with stand-ins for dpkg, apt and sudo."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = [line.split() for line in (ROOT / "tools/apt.txt").read_text().splitlines() if line and line[0] not in "#["]


class Packages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name)
        self.log = self.bin / "log"
        self.log.touch()
        for name in ("bash", "dirname", "env", "sed", "sort", "comm", "tr", "cat", "npm"):
            (self.bin / name).symlink_to("/bin/true" if name == "npm" else f"/usr/bin/{name}")
        self.tool("id", "echo 0")
        self.tool("apt-get", f'echo "apt-get $*" >>{self.log}')
        self.installed({name for name, *_ in NAMES})

    def tool(self, name, body):
        (self.bin / name).write_text(f"#!/bin/bash\n{body}\n")
        (self.bin / name).chmod(0o755)

    def installed(self, names):
        cases = "|".join(sorted(names))
        self.tool("dpkg-query", f'for p in "${{@:3}}"; do case $p in {cases}) echo "$p installed";; '
                                'curl) echo "$p config-files";; *) rc=1;; esac; done; exit $rc')

    def setup(self, *args, ok=True):
        done = subprocess.run([ROOT / "tools/setup", "--no-models", *args], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={"PATH": str(self.bin), "HOME": os.environ.get("HOME", "/")})
        self.assertEqual(done.returncode, 0 if ok else 1, done.stdout)
        return done.stdout, self.log.read_text()

    def test_nothing_missing_never_calls_apt(self):
        self.assertEqual(self.setup(), ("packages: all installed\n", ""))

    def test_installs_only_what_is_missing(self):
        self.installed({name for name, *_ in NAMES} - {"libpq-dev", "curl"})
        _, log = self.setup()
        update, install = log.splitlines()
        self.assertTrue(update.endswith(" update"))
        self.assertTrue(install.endswith(" install -y --no-install-recommends curl libpq-dev"), install)

    def test_suites_get_their_browser(self):
        """Without one `make check` leaves suites out, so set-up brings it."""
        self.installed({name for name, *_ in NAMES} - {"chromium-headless-shell"})
        self.assertTrue(self.setup()[1].endswith(" chromium-headless-shell\n"))

    def test_user_goes_through_sudo(self):
        self.installed({"g++"})
        self.tool("id", "echo 1000")
        self.tool("sudo", f'echo sudo >>{self.log}; exec "$@"')
        self.assertEqual(self.setup()[1].count("sudo\napt-get"), 2)

    def test_neither_root_nor_sudo_is_one_clear_error(self):
        self.installed({name for name, *_ in NAMES} - {"libpq-dev"})
        self.tool("id", "echo 1000")
        out, log = self.setup(ok=False)
        self.assertEqual(out, "setup: packages missing: libpq-dev \n"
                              "setup: next: run this as root, or as root: apt-get install libpq-dev \n")
        self.assertEqual(log, "")

    def test_offline_and_verify_change_nothing(self):
        self.installed({"g++"})
        for option in ("--offline", "--verify"):
            out, log = self.setup(option, ok=False)
            self.assertIn("packages missing: ", out)
            self.assertEqual(log, "")

    def test_npm_only_where_there_is_none(self):
        self.installed({name for name, *_ in NAMES} - {"npm"})
        self.assertEqual(self.setup()[1], "")
        (self.bin / "npm").unlink()
        self.assertIn("--no-install-recommends npm\n", self.setup()[1])

    def test_optional_packages_only_on_request(self):
        self.installed({name for name, *_ in NAMES} - {"valgrind"})
        self.assertEqual(self.setup()[1], "")
        self.assertIn("--no-install-recommends valgrind\n", self.setup("--optional")[1])

    def test_failing_apt_stops_with_advice(self):
        self.installed({"g++"})
        self.tool("apt-get", "exit 100")
        self.assertIn("next: check /etc/apt/sources.list", self.setup(ok=False)[0])

    def test_unknown_option_is_refused(self):
        self.assertIn("unknown option --offlin", self.setup("--offlin", ok=False)[0])

    def test_not_debian(self):
        (self.bin / "dpkg-query").unlink()
        self.assertIn("not a Debian system", self.setup(ok=False)[0])


if __name__ == "__main__":
    unittest.main()
