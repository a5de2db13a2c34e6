#!/usr/bin/env python3
"""Every package that ottla can contain, on any platform, has a licence that goes with Apache-2.0."""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ACCEPTED = {"Apache-2.0", "Apache-2.0 WITH LLVM-exception", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause",
            "ISC", "Zlib", "Unlicense", "0BSD", "CC0-1.0", "BSL-1.0", "Unicode-3.0", "CDLA-Permissive-2.0"}
# Only the build uses it (it writes the C header); nothing of it is in the library.
BUILD_TOOLS = {"cbindgen": "MPL-2.0"}


def accepted(expression):
    """Whether an SPDX expression (or the old form with a slash) can be met with ACCEPTED."""
    def term(match):
        word = match.group(0)
        return word if word in ("OR", "AND") else str(word in ACCEPTED)
    words = re.sub(r"[A-Za-z0-9.\-]+( WITH [A-Za-z0-9.\-]+)?", term, expression.replace("/", " OR "))
    if not re.fullmatch(r"(True|False|OR|AND|[() ])+", words):
        return False
    return bool(eval(words.lower().replace("true", "True").replace("false", "False")))


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    wrong = []
    for package in metadata["packages"]:
        licence = package["license"] or "none given"
        if not accepted(licence) and BUILD_TOOLS.get(package["name"]) != licence:
            wrong.append(f"{package['name']} {package['version']}: {licence}")
    print("\n".join(wrong) if wrong else f"{len(metadata['packages'])} packages, all under accepted licences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
