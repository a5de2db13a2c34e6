#!/usr/bin/env python3
"""Tells which cases of conformance.md have no test in a face: a test carries the number of its case.

    usage: conformance.py [FACE...]

Exit code 1 when a named face lacks a case that it should have; what a face is excused from is said in conformance.md. Without names it tells of all and fails of none.
"""

import re
import sys
from pathlib import Path
from typing import Dict, List, Set

ROOT = Path(__file__).resolve().parent.parent
#: Where the tests of a face are.
FACES: Dict[str, List[str]] = {
    "c": ["tests/c/*.c"],
    "c++": ["tests/c/*.cpp"],
    "python": ["bindings/python/tests/*.py"],
    "go": ["bindings/go/**/*_test.go"],
}

def cases() -> Set[str]:
    return set(re.findall(r"^\| (C\d\d) \|", (ROOT / "bindings/conformance.md").read_text(), re.M))


def excused(face: str) -> Set[str]:
    """The cases that the last table of conformance.md says cannot apply to a face."""
    text = (ROOT / "bindings/conformance.md").read_text()
    rows = re.findall(r"^\| (C|C\+\+|Python|Go) \| ([C\d, ]+) \|", text, re.M)
    return {case for name, found in rows if name.lower() == face for case in found.split(", ")}


def found(face: str) -> Set[str]:
    files = [path for pattern in FACES[face] for path in ROOT.glob(pattern)]
    return {
        case.upper()
        for path in files
        for case in re.findall(r"(?<![A-Za-z0-9])[Cc]\d\d(?!\d)|_c\d\d(?=_)", path.read_text())
    }


def main() -> int:
    status = 0
    for face in sys.argv[1:] or FACES:
        have = {case.strip("_") for case in found(face)}
        wanted = cases() - excused(face)
        missing = sorted(wanted - have)
        print(
            f"{face}: {len(wanted) - len(missing)} of {len(wanted)}"
            + (f", without {' '.join(missing)}" if missing else "")
        )
        status |= bool(missing) and len(sys.argv) > 1
    return status


if __name__ == "__main__":
    sys.exit(main())
