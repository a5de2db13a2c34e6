"""Columns of Arrow through its C data interface (PyCapsules), from any library that speaks it; none is needed here.

Owns what it was given until the column is let go.
"""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int64, c_void_p
from typing import Any, List, Optional

from ottla._columns import Strings
from ottla._memory import Memory
from ottla._strings import Buffers, Items, Source


class _Schema(Structure):
    pass


_Schema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_void_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", c_void_p),
    ("dictionary", c_void_p),
    ("release", c_void_p),
    ("private_data", c_void_p),
]


class _Array(Structure):
    pass


_Array._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", c_void_p),
    ("dictionary", c_void_p),
    ("release", c_void_p),
    ("private_data", c_void_p),
]


class _Stream(Structure):
    pass


_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, POINTER(_Stream), POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, POINTER(_Stream), POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(c_char_p, POINTER(_Stream))),
    ("release", c_void_p),
    ("private_data", c_void_p),
]

_RELEASE = ctypes.CFUNCTYPE(None, c_void_p)
#: Formats of Arrow: byte strings and text with 32-bit and with 64-bit offsets.
_NARROW, _WIDE = ("z", "u"), ("Z", "U")
_VIEWS = ("vz", "vu")


def source(column: Any) -> Optional[Source]:
    """The byte strings of an Arrow array or chunked array; None if it is neither."""
    if hasattr(column, "__arrow_c_array__"):
        schema_capsule, array_capsule = column.__arrow_c_array__()
        schema = _Schema.from_address(_pointer(schema_capsule, b"arrow_schema"))
        array = _Array.from_address(_pointer(array_capsule, b"arrow_array"))
        return _of_array(_format(schema), array, (column, schema_capsule, array_capsule))
    if hasattr(column, "__arrow_c_stream__"):
        return _of_stream(column.__arrow_c_stream__())
    return None


def _pointer(capsule: object, name: bytes) -> int:
    try:
        get = ctypes.pythonapi.PyCapsule_GetPointer
    except AttributeError:
        raise TypeError("Arrow columns need CPython") from None
    get.restype, get.argtypes = c_void_p, (ctypes.py_object, c_char_p)
    return int(get(capsule, name))


def _format(schema: _Schema) -> str:
    if schema.dictionary:
        raise TypeError("an Arrow column with a dictionary: decode it first")
    return (schema.format or b"").decode()


class _Owned:
    """An array or schema that a stream gave: released when it is let go."""

    def __init__(self, struct: Any) -> None:
        self.struct = struct

    def __del__(self) -> None:
        if self.struct.release:
            _RELEASE(self.struct.release)(ctypes.addressof(self.struct))


def _of_stream(capsule: object) -> Source:
    stream = _Stream.from_address(_pointer(capsule, b"arrow_array_stream"))
    schema = _Schema()
    _check(stream, stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)))
    owned_schema = _Owned(schema)
    kind, parts = _format(owned_schema.struct), []
    while True:
        array = _Array()
        _check(stream, stream.get_next(ctypes.byref(stream), ctypes.byref(array)))
        if not array.release:
            break
        parts.append(_of_array(kind, array, _Owned(array)))
    return parts[0] if len(parts) == 1 else _Parts(parts)


def _check(stream: _Stream, status: int) -> None:
    if status:
        text = stream.get_last_error(ctypes.byref(stream)) or b""
        raise OSError(status, text.decode("utf-8", "replace"))


def _of_array(kind: str, array: _Array, owner: object) -> Source:
    count, first = array.length, array.offset
    if kind == "n" or not count:
        return Items([None] * count, False)
    addresses = [array.buffers[index] or 0 for index in range(array.n_buffers)]
    validity = Memory(addresses[0], (first + count + 7) // 8, owner) if addresses[0] else None
    if kind in _VIEWS:
        return Items(_views(array, addresses, validity), False)
    if kind in _NARROW + _WIDE:
        bits = 64 if kind in _WIDE else 32
        offsets = Memory(addresses[1], (first + count + 1) * bits // 8, owner)
        end = offsets.view().cast("q" if bits == 64 else "i")[first + count]
        buffers = Buffers(Memory(addresses[2], end, owner), count)
        buffers.offsets, buffers.offset_bits = offsets, bits
    elif kind.startswith("w:") and int(kind[2:]) > 0:
        width = int(kind[2:])
        buffers = Buffers(Memory(addresses[1], (first + count) * width, owner), count)
        buffers.width = width
    else:
        raise TypeError(f"an Arrow column of type {kind!r}: only bytes and text can be sent")
    buffers.validity, buffers.first = validity, first
    return buffers


def _views(array: _Array, addresses: List[int], validity: Optional[Memory]) -> List[Optional[bytes]]:
    """Strings by views: up to 12 bytes in the view itself, longer ones in one of several buffers."""
    count, first = array.length, array.offset
    numbers = (
        memoryview((ctypes.c_int32 * (4 * (first + count))).from_address(addresses[1])).cast("B").cast("i")
    )
    valid = validity.view() if validity else None
    items: List[Optional[bytes]] = []
    for index in range(first, first + count):
        if valid is not None and not valid[index >> 3] >> (index & 7) & 1:
            items.append(None)
            continue
        size, _, buffer, offset = numbers[4 * index : 4 * index + 4]
        where = addresses[1] + 16 * index + 4 if size <= 12 else addresses[2 + buffer] + offset
        items.append(ctypes.string_at(where, size))
    return items


class _Parts(Source):
    """The parts of a chunked array, one behind another."""

    def __init__(self, parts: List[Source]) -> None:
        self._parts = parts
        self._count = sum(map(len, parts))

    def __len__(self) -> int:
        return self._count

    def put(self, strings: Strings, first: int, count: int) -> None:
        strings.fill(self.kept(first, count))

    def kept(self, first: int, count: int) -> List[Optional[bytes]]:
        items: List[Optional[bytes]] = []
        for part in self._parts:
            size = len(part)
            begin, end = max(first, 0), min(first + count, size)
            if begin < end:
                kept = part.kept(begin, end - begin)
                items += [kept[index] for index in range(end - begin)]
            first -= size
        return items
