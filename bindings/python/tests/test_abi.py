"""The generated files are what include/ottla.h asks for, and the library has every function of it."""

import ctypes
import subprocess
import sys
import unittest
from pathlib import Path

from ottla import ErrorCode, _abi, version
from ottla._library import lib
from tests.cases import shows

GENERATOR = Path(__file__).resolve().parents[2] / "generate.py"


class Abi(unittest.TestCase):
    @unittest.skipUnless(GENERATOR.is_file(), "only in the repository")
    def test_generated_files_follow_the_header(self):
        done = subprocess.run([sys.executable, str(GENERATOR), "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @shows("C19")
    def test_every_code_is_named_by_the_library_as_here(self):
        for code in ErrorCode:
            self.assertEqual(lib.ottla_error_name(code).decode(), code.name)
        self.assertEqual(version(), _abi.VERSION)

    @unittest.skipUnless(ctypes.sizeof(ctypes.c_void_p) == 8, "64-bit layouts")
    def test_layouts(self):
        sizes = {name: ctypes.sizeof(getattr(_abi, name)) for name in ("Header", "Record", "Report", "Delivery", "Run")}
        self.assertEqual(sizes, {"Header": 32, "Record": 80, "Report": 88, "Delivery": 48, "Run": 56})


if __name__ == "__main__":
    unittest.main()
