"""HTTP tests: every test_*.py here, against a real visaged and a real PostgreSQL. Last line: N passed, N failed."""
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tools")]

import fixture  # noqa: E402


class Result(unittest.TextTestResult):
    """Says how long each test took, so that a slow one is seen."""

    passed = 0

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def stopTest(self, test):
        seconds = time.monotonic() - self.began
        if seconds > 3:
            self.stream.writeln(f"    ({seconds:.1f} s)")
        super().stopTest(test)


def main():
    names = sys.argv[1:] or ["test_*.py"]
    suite = unittest.TestSuite(unittest.defaultTestLoader.discover(HERE, pattern=name) for name in names)
    try:
        result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2, resultclass=Result).run(suite)
    finally:
        fixture.close()
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}", file=sys.stderr)
    print(f"{result.passed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
