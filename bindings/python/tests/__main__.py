"""Runs all tests: `python -m tests` in bindings/python.

OTTLA_CONFORMANCE names a file to which the cases of every test that passed are added, for bindings/conformance.py.
"""

import os
import sys
import unittest


class Result(unittest.TextTestResult):
    """Notes the cases of what has passed."""

    def addSuccess(self, test):
        super().addSuccess(test)
        cases = getattr(getattr(test, test._testMethodName), "cases", ())
        path = os.environ.get("OTTLA_CONFORMANCE")
        if path and cases:
            with open(path, "a") as file:
                file.write(" ".join(cases) + "\n")


if __name__ == "__main__":
    found = unittest.defaultTestLoader.discover("tests", top_level_dir=".")
    runner = unittest.TextTestRunner(resultclass=Result, buffer=True)
    sys.exit(not runner.run(found).wasSuccessful())
