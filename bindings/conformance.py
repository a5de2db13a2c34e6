#!/usr/bin/env python3
"""Compares the cases of conformance.md with those that the tests of a face have shown.

    usage: conformance.py FACE FILE

FACE is c, c++, python or go. FILE is what OTTLA_CONFORMANCE named while its tests ran: each test that names cases adds a line
with their numbers once it has passed. Exit code 1 when a case of the page was not shown, or one was that the page does not
have or does not ask of this face.
"""

import re
import sys
from pathlib import Path
from typing import Set

PAGE = Path(__file__).resolve().parent / "conformance.md"


def wanted(face: str) -> Set[str]:
    """The cases of the page without those that its last table says cannot apply to a face."""
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (C|C\+\+|Python|Go) \| ([C\d, ]+) \|", text, re.M)
    excused = {case for name, cases in rows if name.lower() == face for case in cases.split(", ")}
    return set(re.findall(r"^\| (C\d\d) \|", text, re.M)) - excused


def shown(path: str) -> Set[str]:
    """`C01`, or the name of a function that begins with it: `c01_a_record(producer)`."""
    text = Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""
    return {case.upper() for case in re.findall(r"(?<!\w)[Cc]\d\d(?=_|\b)", text)}


def main() -> int:
    face, path = sys.argv[1:]
    asked, has = wanted(face), shown(path)
    for text, cases in (("not shown", asked - has), ("shown, but not asked of it", has - asked)):
        if cases:
            print(f"{face}: {text}: {' '.join(sorted(cases))}")
    print(f"{face}: {len(asked & has)} of {len(asked)} cases")
    return int(asked != has)


if __name__ == "__main__":
    sys.exit(main())
