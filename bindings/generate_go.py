"""What the Go module takes from include/ottla.h: its constants and its copy of the header.

Used by generate.py. Owns the Go text; decides nothing about the API.
"""

from pathlib import Path
from typing import List, Tuple

GO = Path(__file__).resolve().parent / "go"
NATIVE = GO / "internal" / "native"
# Words of error names that Go programs write in capitals.
CAPITALS = {"ID", "EOF"}

NOTE = "// Code generated from include/ottla.h by bindings/generate.py. DO NOT EDIT."


def files(header, text: str, is_code, errors) -> List[Tuple[Path, str]]:
    """Every generated file of the module with what must be in it."""
    return [
        (GO / "codes.go", codes(header, is_code)),
        (GO / "kafka" / "codes.go", compatible_codes(errors)),
        (GO / "replace" / "kafka" / "codes.go", replaced_codes(errors)),
        (NATIVE / "constants.go", constants(header, is_code)),
        (NATIVE / "ottla.h", text),
    ]


def camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def codes(header, is_code) -> str:
    lines = [NOTE, "", "package ottla", ""]
    lines += ["// The status numbers: above 0 a broker's, -1 and below ottla's own.", "const ("]
    for constant in filter(is_code, header.constants):
        name = "Code" + camel(constant.name[len("OTTLA_ERROR_") :])
        lines += [f"\t// {name}: {constant.doc}", f"\t{name} Code = {constant.value}"]
    return "\n".join(lines + [")", ""])


def error_name(name: str) -> str:
    """`_QUEUE_FULL` to `ErrQueueFull`."""
    words = name.strip("_").split("_")
    return "Err" + "".join(word if word in CAPITALS else word.capitalize() for word in words)


FROM = "// Code generated from include/ottla.h and bindings/librdkafka_codes.py by bindings/generate.py. DO NOT EDIT."


def compatible_codes(errors) -> str:
    names = sorted(errors.named, key=errors.named.__getitem__)
    lines = [FROM, "", "package kafka", "", "// Error codes, with librdkafka's numbers: broker codes from -1 up, local ones below."]
    lines += ["const ("]
    for name in names:
        lines += [f"\t// {error_name(name)}: {errors.texts[name]}", f"\t{error_name(name)} ErrorCode = {errors.named[name]}"]
    lines += [")", "", "var errorTexts = map[ErrorCode]string{"]
    width = max(len(error_name(name)) for name in names) + 1
    for name in names:
        text = errors.texts[name].replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'\t{error_name(name) + ":":<{width}} "{text}",')
    lines += ["}", "", "// ofStatus gives librdkafka's number for ottla's own ones.", "var ofStatus = map[int32]ErrorCode{"]
    lines += [f"\t{status}: {errors.own[status]}," for status in sorted(errors.own, reverse=True)]
    return "\n".join(lines + ["}", ""])


def replaced_codes(errors) -> str:
    names = [error_name(name) for name in sorted(errors.named, key=errors.named.__getitem__)]
    lines = [FROM, "", "package kafka", "", 'import "github.com/ottla-kafka/ottla/bindings/go/kafka"', ""]
    lines += ["// Error codes; see the package that they come from.", "const ("]
    width = max(map(len, names))
    lines += [f"\t{name:<{width}} = kafka.{name}" for name in names]
    return "\n".join(lines + [")", ""])


def constants(header, is_code) -> str:
    lines = [NOTE, "", "package native", "", "const ("]
    rows = []
    for constant in header.constants:
        name = constant.name[len("OTTLA_") :]
        if is_code(constant):
            rows.append(("Code" + camel(name[len("ERROR_") :]), f"int32 = {constant.value}"))
        elif name.startswith("ERROR_FLAG_"):
            rows.append((camel(name[len("ERROR_") :]), f"uint32 = {constant.value}"))
        elif not name.startswith("VERSION"):
            rows.append((camel(name), f"= {constant.value}"))
    lines += [f"\t{name} {value}" for name, value in rows]
    return gofmt_columns("\n".join(lines + [")", ""]))


def gofmt_columns(text: str) -> str:
    """Constants with a type in columns, as gofmt wants them."""
    rows = [line[1:].split(" ", 1) for line in text.splitlines() if line.startswith("\t")]
    width = max(len(name) for name, _ in rows)
    kinds = max(len(value.split("=")[0].strip()) for _, value in rows)
    out = []
    for line in text.splitlines():
        if line.startswith("\t"):
            name, value = line[1:].split(" ", 1)
            kind, number = (part.strip() for part in value.split("=", 1))
            line = f"\t{name:<{width}} {kind:<{kinds}} = {number}"
        out.append(line)
    return "\n".join(out + [""])

