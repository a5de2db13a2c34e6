"""Which record stands for input number i: as formula.h says it. A checker so needs no copy of the input.

Two kinds: `binary` records come from the C and C++ programs, `text` records are lines for the command line
tool.
"""
import struct

MASK = (1 << 64) - 1
FIRST_TIMESTAMP_MS = 1_700_000_000_000
PATTERN_BYTES = 65536 + 256
TEXT_HEADERS = ((b"source", b"ottla produce"), (b"empty", b""))


def mix(number):
    """Spreads a number over 64 bits (the finalizer of splitmix64)."""
    z = (number * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def make_pattern():
    words = (PATTERN_BYTES + 7) // 8
    return b"".join(mix(word + 1).to_bytes(8, "little") for word in range(words))[:PATTERN_BYTES]


PATTERN = make_pattern()
TEXT_PATTERN = bytes(32 + byte % 95 for byte in PATTERN)


def field(value):
    """A key or value as the reader writes it: i32 length, -1 for null, and the bytes."""
    return b"\xff\xff\xff\xff" if value is None else struct.pack(">i", len(value)) + value


def binary_body(number):
    """Timestamp, key, value and headers of record `number`, laid out as `kafka-dev consume --raw` does."""
    r = mix(number + 1)
    kind = r & 15
    key = None if kind == 0 else b"" if kind == 1 else b"key-%d" % ((r >> 8) % 5000)
    identity = number.to_bytes(8, "big")
    start = (r >> 32) & 0xFFFF
    headers = (r >> 60) & 3
    value = identity + PATTERN[start:start + ((r >> 48) & 0xFF)]
    if (r >> 24) & 63 == 0:
        value = None
        headers = max(headers, 1)          # the identity must stand somewhere
    time = struct.pack(">q", FIRST_TIMESTAMP_MS + number)
    parts = [time, field(key), field(value), struct.pack(">i", headers)]
    if headers > 0:
        parts += [field(b"number"), field(identity)]
    if headers > 1:
        parts += [field(b"traceparent"), field(PATTERN[start:start + 16])]
    if headers > 2:
        parts += [field("ключ".encode()), field(None)]
    return b"".join(parts)


def binary_identity(body):
    """The input number that a record of this kind carries."""
    at = 8
    for _ in range(2):
        length = struct.unpack_from(">i", body, at)[0]
        start, at = at + 4, at + 4 + max(length, 0)
    if length < 0:
        start = at + 4 + 4 + len(b"number") + 4
    return int.from_bytes(body[start:start + 8], "big")


def text_fields(number):
    """Key and value of the line `number`; an empty one becomes null (`ottla produce -Z`)."""
    r = mix(number + 1)
    key = b"" if r & 15 == 0 else b"key-%d" % ((r >> 8) % 5000)
    start = (r >> 32) & 0xFFFF
    return key, b"%d:%s" % (number, TEXT_PATTERN[start:start + ((r >> 48) & 0xFF)])


def text_line(number):
    """What goes to standard input, TAB between key and value."""
    key, value = text_fields(number)
    return key + b"\t" + value + b"\n"


def text_body(number):
    """As binary_body; the timestamp is the tool's and therefore left out."""
    key, value = text_fields(number)
    parts = [field(key or None), field(value), struct.pack(">i", len(TEXT_HEADERS))]
    for name, content in TEXT_HEADERS:
        parts += [field(name), field(content)]
    return b"".join(parts)


def text_identity(body):
    """The input number that a line's record carries; the timestamp is already cut off."""
    length = struct.unpack_from(">i", body, 0)[0]
    start = 4 + max(length, 0) + 4
    return int(body[start:start + 20].split(b":", 1)[0])
