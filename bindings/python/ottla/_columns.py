"""Writes many records into the struct that one call of the library takes: byte strings of all records in
one place.

Owns the struct and keeps what it points to until the next records; never looks at a record's meaning.
"""

import ctypes
from array import array
from typing import Any, List, Optional, Sequence, Tuple

from ottla import _abi
from ottla.message import Extras, Headers

#: Entries of a staged record: number of its topic, value, key, callback, extras or None.
WIDTH = 5


class Strings:
    """One column of byte strings inside the struct."""

    def __init__(self, columns: _abi.Columns, offset: int) -> None:
        def at(kind: Any, field: str) -> Any:
            return kind.from_buffer(columns, offset + getattr(_abi.Column, field).offset)

        self.data, self.data_len = at(ctypes.c_void_p, "data"), at(ctypes.c_size_t, "data_len")
        self.lengths, self.offsets = at(ctypes.c_void_p, "lengths"), at(ctypes.c_void_p, "offsets")
        self.validity, self.first = at(ctypes.c_void_p, "validity"), at(ctypes.c_size_t, "first")
        self.offset_bits, self.width = at(ctypes.c_uint32, "offset_bits"), at(ctypes.c_uint32, "width")
        self.kept: Any = None

    def clear(self) -> None:
        """All strings are null."""
        self.data.value = self.lengths.value = self.offsets.value = self.validity.value = None
        self.data_len.value = self.first.value = self.offset_bits.value = self.width.value = 0
        self.kept = None

    def fill(self, items: Sequence[Optional[bytes]]) -> None:
        """These strings. TypeError: they are none, or such that their len() is not that of their bytes."""
        if items[0] is None and items.count(None) == len(items):
            if self.kept is not None:
                self.clear()
            return
        try:
            data = b"".join(items)  # type: ignore[arg-type]
            lengths = list(map(len, items))  # type: ignore[arg-type]
            total = len(data)
        except TypeError:
            data = b"".join([item for item in items if item is not None])
            lengths = [-1 if item is None else len(item) for item in items]
            total = len(data) - lengths.count(-1)
        width = lengths[0]
        text = ctypes.c_char_p(data)
        self.offsets.value = self.validity.value = None
        self.first.value = 0
        # What is pointed to is not NULL, so that an empty string is no null.
        self.data.value, self.data_len.value = address(text), len(data)
        if width > 0 and lengths.count(width) == len(lengths) and width * len(lengths) == total:
            # Often all are equally long, and that is said cheaper.
            self.width.value, self.lengths.value, self.kept = width, None, text
            return
        if sum(lengths) != total:
            raise TypeError("views of items that are not bytes")
        numbers = array("i", lengths)
        self.width.value, self.lengths.value = 0, numbers.buffer_info()[0]
        self.kept = text, numbers


class Columns:
    """The struct, used by one thread at a time."""

    def __init__(self) -> None:
        self.struct = _abi.Columns()
        self.struct.size = ctypes.sizeof(_abi.Columns)
        self.reference = ctypes.byref(self.struct)
        self.accepted = ctypes.c_size_t()
        self.accepted_reference = ctypes.byref(self.accepted)
        self.value, self.key, self.header_value, self.header_key = (
            Strings(self.struct, getattr(_abi.Columns, name).offset)
            for name in ("value", "key", "header_value", "header_key")
        )
        self._arrays = {
            name: ctypes.c_void_p.from_buffer(self.struct, getattr(_abi.Columns, name).offset)
            for name in ("topics", "partitions", "timestamps_ms", "header_counts")
        }
        self._kept: List[Any] = []

    def begin(self, topic: int, count: int, token: int, step: int) -> None:
        """So many records of one topic, with nothing else."""
        struct = self.struct
        struct.topic, struct.count, struct.token, struct.token_step = topic, count, token, step
        struct.partition, struct.timestamp_ms = _abi.PARTITION_ANY, _abi.TIMESTAMP_NOW
        if self._kept:
            self._kept.clear()
            for pointer in self._arrays.values():
                pointer.value = None
            self.header_key.clear()
            self.header_value.clear()

    def topics(self, numbers: List[int]) -> None:
        """Each record's topic."""
        self.array("topics", array("I", numbers))

    def array(self, name: str, items: Any) -> None:
        """A column of numbers: an array of the struct's type."""
        self._kept.append(items)
        self._arrays[name].value = items.buffer_info()[0]

    def pointer(self, name: str, where: int, owner: object) -> None:
        """A column of numbers that lie somewhere, as long as `owner` lives."""
        self._kept.append(owner)
        self._arrays[name].value = where

    def extras(self, extras: Sequence[Optional[Extras]]) -> None:
        """Partitions, times and headers of records; None where a record has none of them."""
        given = [extra or _NOTHING for extra in extras]
        self.array("partitions", array("i", [partition for partition, _, _ in given]))
        self.array("timestamps_ms", array("q", [when or _abi.TIMESTAMP_NOW for _, when, _ in given]))
        if any(headers for _, _, headers in given):
            self.headers([headers or [] for _, _, headers in given])

    def headers(self, headers: Sequence[Headers]) -> None:
        """The headers of each record."""
        self.array("header_counts", array("I", map(len, headers)))
        flat = [pair for pairs in headers for pair in pairs]
        if flat:
            self.header_key.fill([name.encode() for name, _ in flat])
            self.header_value.fill([value for _, value in flat])


_NOTHING: Tuple[int, int, Optional[Headers]] = (_abi.PARTITION_ANY, 0, None)


def address(pointer: ctypes.c_char_p) -> int:
    """Where the bytes behind a pointer are."""
    return ctypes.c_void_p.from_buffer(pointer).value or 0
