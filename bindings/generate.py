#!/usr/bin/env python3
"""Writes what the bindings take from include/ottla.h, so that nobody copies it by hand:

    bindings/python/ottla/_abi.py    structs, constants and prototypes for ctypes
    bindings/python/ottla/_codes.py  librdkafka's error numbers, names and texts
    bindings/go/...                  what generate_go.py says

    usage: generate.py [--check]

With --check nothing is written, and the exit status says whether the files are what the header asks for.
Owns the reading of the header; decides nothing about the API of either language.
"""

import re
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Set, Tuple

import generate_go
import librdkafka_codes

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include" / "ottla.h"
PYTHON = ROOT / "bindings" / "python" / "ottla" / "_abi.py"
PYTHON_CODES = PYTHON.with_name("_codes.py")

SCALARS = {
    "bool": "c_bool",
    "double": "c_double",
    "int16_t": "c_int16",
    "int32_t": "c_int32",
    "int64_t": "c_int64",
    "size_t": "c_size_t",
    "uint8_t": "c_uint8",
    "uint16_t": "c_uint16",
    "uint32_t": "c_uint32",
    "uint64_t": "c_uint64",
    "void": "None",
}


class Constant(NamedTuple):
    name: str
    value: str
    doc: str


class Header(NamedTuple):
    """What the header declares, in its order."""

    constants: List[Constant]
    structs: Dict[str, List[Tuple[str, str]]]
    functions: Dict[str, Tuple[str, List[str]]]


def parse(text: str) -> Header:
    constants = [
        Constant(name, value.strip("()"), " ".join((doc or "").replace("*", " ").split()))
        for doc, name, value in re.findall(
            r'(?:/\*\*((?:(?!\*/).)*)\*/\n)?#define (OTTLA_\w+) (\(-\d+\)|\d+|"[^"]*")\n', text, re.S
        )
    ]
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    code = re.sub(r"^#.*?[^\\]$", "", code, flags=re.M | re.S)
    code = re.sub(r"^static inline .*?^}", "", code, flags=re.M | re.S)
    functions_of_callers = set(re.findall(r"\(\*(\w+)\)", code))
    structs = {}
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (\w+);", code, re.S):
        structs[name] = [split_declarator(field) for field in body.split(";") if field.strip()]
    functions = {}
    pattern = r"^(?:extern )?((?:const )?\w+ \**)(ottla_\w+)\(([^()]*)\);"
    for result, name, arguments in re.findall(pattern, code, re.M):
        listed = [] if arguments.strip() == "void" else arguments.split(",")
        functions[name] = (result, [split_declarator(argument)[0] for argument in listed])
    check_complete(code, functions)
    known = Known(set(structs), functions_of_callers)
    return Header(
        constants,
        {n: [(known.field(t), f) for t, f in fields] for n, fields in structs.items()},
        {n: (known.ctype(r), [known.ctype(a) for a in args]) for n, (r, args) in functions.items()},
    )


def split_declarator(text: str) -> Tuple[str, str]:
    """`const char *name` to (`const char *`, `name`)."""
    matched = re.fullmatch(r"(.*?)(\w+)", " ".join(text.split()))
    if not matched:
        raise SystemExit(f"generate.py: cannot read {text!r}")
    return matched.group(1), matched.group(2)


def check_complete(code: str, functions: Dict[str, Tuple[str, List[str]]]) -> None:
    declared = set(re.findall(r"\b(ottla_\w+)\(", code))
    if declared != set(functions):
        raise SystemExit(f"generate.py: cannot read {sorted(declared ^ set(functions))}")


class Known(NamedTuple):
    structs: Set[str]
    callbacks: Set[str]

    def field(self, text: str) -> str:
        """The ctypes type of a field: texts in structs have a length and no NUL to stop at."""
        ctype = self.ctype(text)
        return "c_void_p" if ctype == "c_char_p" else ctype

    def ctype(self, text: str) -> str:
        """The ctypes type of an argument or a result."""
        base = text.replace("const", "").replace("*", "").strip()
        depth = text.count("*")
        if base in self.callbacks:
            return "c_void_p"
        if base in SCALARS:
            inner = SCALARS[base]
        elif base == "char":
            inner = "c_char"
        elif base in self.structs:
            inner = python_name(base)
        elif depth:
            inner, depth = "c_void_p", depth - 1  # an opaque handle
        else:
            raise SystemExit(f"generate.py: unknown type {text!r}")
        if depth and inner in ("None", "c_char"):
            inner, depth = {"None": "c_void_p", "c_char": "c_char_p"}[inner], depth - 1
        for _ in range(depth):
            inner = f"POINTER({inner})"
        return inner


def python_name(name: str) -> str:
    """`ottla_record_t` to `Record`."""
    words = name[len("ottla_") : -len("_t")].split("_")
    return "".join(word.capitalize() for word in words)


def write_python(header: Header) -> str:
    lines = [
        '"""The C ABI for ctypes: structs, constants, prototypes.',
        "",
        "Generated from include/ottla.h by bindings/generate.py: do not edit.",
        '"""',
        "",
        "from ctypes import (",
    ]
    used = set(re.findall(r"\b(?:c_\w+|POINTER)\b", repr(header.structs) + repr(header.functions)))
    lines += [f"    {name}," for name in sorted(used | {"CDLL", "Structure"})]
    lines += [")", "from enum import IntEnum", "", ""]
    codes = [c for c in header.constants if is_code(c)]
    lines += ["class ErrorCode(IntEnum):"]
    lines += ['    """The status numbers: above 0 a broker\'s, -1 and below ottla\'s own."""', ""]
    for constant in codes:
        lines.append(f"    {constant.name[len('OTTLA_ERROR_'):]} = {constant.value}")
        lines.append(f"    {string(constant.doc)}")
    lines += ["", ""]
    others = [c for c in header.constants if not is_code(c)]
    lines += [f"{c.name[len('OTTLA_'):]} = {c.value}" for c in others]
    for name, fields in header.structs.items():
        lines += ["", "", f"class {python_name(name)}(Structure):", f'    """{name}."""', ""]
        lines += ["    _fields_ = ["]
        lines += [f'        ("{field}", {ctype}),' for ctype, field in fields]
        lines += ["    ]"]
    lines += ["", "", "PROTOTYPES = {"]
    for name, (result, arguments) in header.functions.items():
        whole = f"    \"{name}\": ({result}, ({', '.join(arguments)}{',' * (len(arguments) == 1)})),"
        if len(whole) <= 100:
            lines.append(whole)
            continue
        lines += [f'    "{name}": (', f"        {result},", "        ("]
        lines += [f"            {argument}," for argument in arguments]
        lines += ["        ),", "    ),"]
    lines += [
        "}",
        "",
        "",
        "def declare(library: CDLL) -> None:",
        '    """Tells ctypes what every function takes and gives."""',
        "    for name, (result, arguments) in PROTOTYPES.items():",
        "        function = getattr(library, name)",
        "        function.restype = result",
        "        function.argtypes = arguments",
        "",
    ]
    return "\n".join(lines)


class Compatible(NamedTuple):
    """librdkafka's errors: numbers by name, texts by name, and what ottla's own numbers are."""

    named: Dict[str, int]
    texts: Dict[str, str]
    own: Dict[int, int]


def compatible(header: Header) -> Compatible:
    named: Dict[str, int] = {name: local.number for name, local in librdkafka_codes.LOCAL.items()}
    texts = {name: local.text or local_text(name) for name, local in librdkafka_codes.LOCAL.items()}
    own: Dict[int, int] = {}
    for constant in filter(is_code, header.constants):
        name, number = constant.name[len("OTTLA_ERROR_") :], int(constant.value)
        if number < -1:
            own[number] = named_code(librdkafka_codes.FROM_OTTLA[name], named)
            continue
        name = librdkafka_codes.RENAMED.get(name, name)
        named[name] = number
        texts[name] = librdkafka_codes.BROKER_TEXTS.get(name, "Broker: " + constant.doc.rstrip("."))
    return Compatible(named, texts, own)


def write_python_codes(errors: Compatible) -> str:
    named, texts, own = errors
    lines = [
        '"""librdkafka\'s error numbers, their names and texts, and which of them ottla\'s own errors are.',
        "",
        "Generated from include/ottla.h and bindings/librdkafka_codes.py by bindings/generate.py: do not edit.",
        '"""',
        "",
        "from typing import Dict",
        "",
        "",
        "class Codes:",
        '    """The error numbers; those that begin with _ are not a broker\'s."""',
        "",
    ]
    ordered = sorted(named, key=named.__getitem__)
    lines += [f"    {name} = {named[name]}" for name in ordered]
    lines += ["", "", "NAMES: Dict[int, str] = {"]
    lines += [f'    {named[name]}: "{name}",' for name in ordered]
    lines += ["}", "", "TEXTS: Dict[int, str] = {"]
    lines += [f"    {named[name]}: {literal(texts[name])}," for name in ordered]
    lines += ["}", "", "#: Status of the library to number.", "OF_STATUS: Dict[int, int] = {"]
    lines += [f"    {status}: {own[status]}," for status in sorted(own, reverse=True)]
    return "\n".join(lines + ["}", ""])


def named_code(name: str, named: Dict[str, int]) -> int:
    """A broker's code among those of ottla: there is one, for records that are too large."""
    return 10 if name == "MSG_SIZE_TOO_LARGE" else named[name]


def local_text(name: str) -> str:
    return "Local: " + name.strip("_").replace("_", " ").capitalize()


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def string(text: str) -> str:
    return '"""' + text.replace("\\", "\\\\") + '"""'


def is_code(constant: Constant) -> bool:
    return constant.name.startswith("OTTLA_ERROR_") and "_FLAG_" not in constant.name


def main() -> int:
    source = HEADER.read_text(encoding="utf-8")
    header = parse(source)
    status = 0
    errors = compatible(header)
    written = [(PYTHON, write_python(header)), (PYTHON_CODES, write_python_codes(errors))]
    for path, text in [*written, *generate_go.files(header, source, is_code, errors)]:
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is not what {HEADER.name} asks for: run {__file__}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
