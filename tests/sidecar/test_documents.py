"""docs/ against the program that they are about: nothing that is not there, and nothing that is there left out."""
import os
import re
import subprocess
import unittest

from fixture import CHANNEL, STRANGER, HttpTest
from rig.cluster import BASE
from rig.daemon import PROGRAM

# Of the command line alone.
COMMANDS = {"help", "version", "config", "check-config"}


def read(name):
    with open(os.path.join(BASE, "docs", name)) as file:
        return file.read()


def section(text, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


class Settings(unittest.TestCase):
    def setUp(self):
        text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        # {option: its default, or none}
        self.options = dict(re.findall(r"^ +(?:-\w,)?--([a-z-]+)\b(?:[^\n=]*=(\S+))?", text, re.M))
        self.rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|([^|]*)\|", section(read("http-api.md"), "Settings"), re.M)

    def test_every_setting_is_described_and_no_other(self):
        described = {name for names, _ in self.rows for name in re.findall(r"`([a-z-]+)`", names)}
        described |= set(re.findall(r"\b((?:authority|otp)-[a-z-]*[a-z])\b", section(read("adapters.md"), "Neither yes nor no")
                                    + read("adapters.md").split("\n## ")[0]))
        self.assertEqual(set(self.options) - COMMANDS, described)

    def test_defaults_are_those_of_the_program(self):
        compared = 0
        for names, defaults in self.rows:
            names = re.findall(r"`([a-z-]+)`", names)
            for name, default in zip(names, defaults.split(",")):
                default = default.strip("` ")
                if re.match(r"[0-9]", default):
                    self.assertEqual(self.options[name], default, name)
                    compared += 1
        self.assertGreater(compared, 10)


class Metrics(HttpTest):
    def test_every_metric_is_described_and_no_other(self):
        self.client.verify("nobody", self.portrait(STRANGER), channel=CHANNEL)  # some are there once there was something to count
        text = self.stand.daemon.get_admin("/metrics")[1]
        described = set(re.findall(r"\b((?:visaged|process)_[a-z_]+)\b", section(read("http-api.md"), "Running it")))
        self.assertEqual(set(re.findall(r"^# HELP (\S+) ", text, re.M)), described)
