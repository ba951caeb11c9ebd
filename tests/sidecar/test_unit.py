"""deploy/systemd/visaged.service: strict, and the daemon runs within what it allows [8.2.2h] [8.2.3d]."""
import configparser
import ctypes
import ipaddress
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from fixture import CHANNEL, PERSON, HttpTest
from rig.cluster import BASE, Failed

UNIT = os.path.join(BASE, "deploy/systemd/visaged.service")
HAS_ANALYZE = shutil.which("systemd-analyze") is not None


class Repeated(dict):
    """A unit may name a setting several times."""

    def __setitem__(self, name, value):
        if name in self and isinstance(value, list):
            self[name].extend(value)
        else:
            super().__setitem__(name, value)


def settings():
    parser = configparser.RawConfigParser(dict_type=Repeated, strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNIT)
    return {name: value.split("\n") for name, value in parser["Service"].items()}


class Unit(HttpTest):
    MOST_EXPOSED = 1.5  # of 10, as systemd-analyze counts; 0.0 is a service that can do nothing

    @unittest.skipUnless(HAS_ANALYZE, "no systemd-analyze")
    def test_exposure(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                               f"--threshold={self.MOST_EXPOSED * 10:.0f}", UNIT], capture_output=True, text=True)
        level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        self.assertTrue(level, done.stdout + done.stderr)
        self.assertLessEqual(float(level[1]), self.MOST_EXPOSED, done.stdout)
        self.assertEqual(0, done.returncode, done.stderr)

    @unittest.skipUnless(HAS_ANALYZE, "no systemd-analyze")
    def test_systemd_knows_every_setting(self):
        with tempfile.TemporaryDirectory() as directory:
            copy = os.path.join(directory, "visaged.service")
            with open(UNIT) as file:
                text = file.read().replace("/usr/sbin/visaged", os.path.join(BASE, "build/visaged"))
            with open(copy, "w") as file:
                file.write(text)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
        ours = [line for line in (done.stdout + done.stderr).splitlines() if "visaged.service:" in line]
        self.assertEqual([], ours)

    def test_samples_reach_neither_swap_nor_core(self):
        unit = settings()
        self.assertEqual((["infinity"], ["0"], ["0"]), (unit["LimitMEMLOCK"], unit["MemorySwapMax"], unit["LimitCORE"]))

    def test_packets_of_internal_networks_only(self):
        unit = settings()
        self.assertEqual(["any"], unit["IPAddressDeny"])
        for network in unit["IPAddressAllow"][0].split():
            if network not in ("localhost", "link-local"):
                self.assertTrue(ipaddress.ip_network(network).is_private, network)

    def test_needs_no_memory_that_is_written_and_run(self):
        """MemoryDenyWriteExecute=: the kernel's own refusal is switched on, and everything works."""
        if ctypes.CDLL(None).prctl(66, 0, 0, 0, 0) < 0:  # PR_GET_MDWE
            self.skipTest("this kernel cannot forbid it")
        daemon = self.start("mdwe", wrapper=["/usr/bin/python3", "-c", "import ctypes, os, sys; "
                                             "assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0; "
                                             "os.execv(sys.argv[1], sys.argv[1:])"])
        self.assertEqual("UNKNOWN_SUBJECT", self.connect(daemon).verify("x", self.portrait(PERSON), channel=CHANNEL).code)

    @unittest.skipUnless(os.getuid() == 0 and shutil.which("setpriv"), "only root takes its own rights away")
    def test_needs_no_privilege(self):
        """CapabilityBoundingSet=, NoNewPrivileges=. What is left here is the way to the test's files, which are another's.
        Memory cannot be locked then, and that is said."""
        daemon = self.start("powerless", wrapper=["prlimit", "--memlock=8388608:8388608", "setpriv", "--no-new-privs",
                                                  "--bounding-set=-all,+dac_read_search", "--inh-caps=-all"])
        with open(f"/proc/{daemon.process.pid}/status") as file:
            self.assertRegex(file.read(), r"CapEff:\s+0+4\n")
        self.assertIn("memory is not locked", daemon.log_text())
        self.assertIn("visaged_memory_locked 0\n", daemon.get_admin("/metrics")[1])
        self.assertEqual("UNKNOWN_SUBJECT", self.connect(daemon).verify("x", self.portrait(PERSON), channel=CHANNEL).code)

    @unittest.skipUnless(HAS_ANALYZE and os.getuid() == 0 and shutil.which("strace"), "needs systemd-analyze and strace")
    def test_makes_only_the_system_calls_that_are_allowed(self):
        """SystemCallFilter=: what it calls from start to drain is in the set."""
        trace = os.path.join(self.cluster.stage, "calls")
        daemon = self.start("traced-calls", wrapper=["strace", "-D", "-f", "-qq", "-c", "-U", "name", "-o", trace])
        client = self.connect(daemon)
        self.assertEqual("UNKNOWN_SUBJECT", client.verify("x", self.portrait(PERSON), channel=CHANNEL).code)
        self.assertEqual(200, client.post("/v1/quality", {"image": self.portrait(PERSON)}).status)
        self.assertEqual(200, client.cancel("x", channel=CHANNEL).status)
        daemon.get_admin("/metrics")
        self.assertEqual(0, daemon.stop())
        # Written once its daemon is gone.
        self.wait_for(lambda: os.path.exists(trace) and "total" in open(trace).read(), "strace has not ended")
        with open(trace) as file:
            called = {line.strip() for line in file if re.fullmatch(r"[a-z0-9_]+", line.strip())} - {"syscall", "total"}
        self.assertGreater(len(called), 30)
        allowed = set()
        for item in settings()["SystemCallFilter"]:
            calls = self.members(item.lstrip("~"))
            allowed = allowed - calls if item.startswith("~") else allowed | calls
        self.assertEqual(set(), called - allowed)

    def members(self, group):
        text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True,
                              check=True).stdout
        names = set()
        for line in text.splitlines()[1:]:
            name = line.strip()
            if name.startswith("@"):
                names |= self.members(name)
            elif name and not name.startswith("#"):
                names.add(name)
        return names


class Reach(HttpTest):
    """[8.2.3d] The listeners are for an internal network unless somebody decides otherwise."""

    def refused(self, words, **listen):
        with self.assertRaises(Failed) as caught:
            self.start("reach", wait=False, tls_certificate="/nonexistent", tls_key="/nonexistent", **listen)
        self.assertIn(words, str(caught.exception))

    def test_by_default_this_machine_alone(self):
        text = subprocess.run([os.path.join(BASE, "build/visaged"), "--help"], capture_output=True, text=True).stdout
        self.assertRegex(text, r"--listen TEXT=127\.0\.0\.1:8480\s")
        self.assertRegex(text, r"--admin-listen TEXT=127\.0\.0\.1:8481\s")

    def test_addresses_that_strangers_reach(self):
        for address in ("0.0.0.0:0", "[::]:0", "8.8.8.8:0", "172.32.0.1:0", "172.15.255.1:0", "192.169.0.1:0", "11.0.0.1:0",
                        "100.128.0.1:0", "[2001:db8::1]:0", "[fec0::1]:0"):
            self.refused("not an address of an internal network", listen=address)
            self.refused("internal network only", admin_listen=address)
        # Past the check it is the certificate that is missing.
        for address in ("10.1.2.3:0", "172.16.0.1:0", "172.31.0.1:0", "192.168.9.9:0", "100.64.0.1:0", "169.254.1.1:0",
                        "[fd00::1]:0", "[fe80::1]:0", "127.9.9.9:0", "[::1]:0"):
            self.refused("cannot read the certificate", listen=address)
        self.refused("cannot read the certificate", listen="0.0.0.0:0", public_listen=True)
        self.refused("internal network only", listen="0.0.0.0:0", public_listen=True, admin_listen="0.0.0.0:0")
