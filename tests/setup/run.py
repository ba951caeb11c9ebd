#!/usr/bin/python3
"""Runs the tests of this folder; the last line is "N passed, N failed"."""
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
result = unittest.TextTestRunner(sys.stdout, verbosity=2).run(unittest.defaultTestLoader.discover(str(here)))
# A skipped class counts once in skipped but none of its tests in testsRun.
failed = len(result.failures) + len(result.errors)
for test, why in result.skipped:
    print(f"skipped: {test}: {why}")
print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed", flush=True)
sys.exit(failed > 0)
