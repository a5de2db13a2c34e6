"""Columns of byte strings: lists, and memory that is laid out already and is read where it is."""

from typing import Any, List, Optional, Sequence

from ottla import _memory
from ottla._columns import Strings
from ottla._records import as_bytes


_PLAIN = frozenset((bytes, type(None)))


class Source:
    """Byte strings, of which some at a time are written into the struct of the library."""

    def __len__(self) -> int:
        raise NotImplementedError

    def put(self, strings: Strings, first: int, count: int) -> None:
        """Points the struct at `count` strings from `first` on."""
        raise NotImplementedError

    def kept(self, first: int, count: int) -> Any:
        """The same strings for reports: something with an index, whose items can be let go by
        setting them."""
        raise NotImplementedError


class Items(Source):
    """A list of str, bytes or None. `whole`: all of it is looked at before any of it is sent."""

    def __init__(self, items: Sequence[Any], whole: bool) -> None:
        self.items = items
        self._plain = False
        if whole:
            self._convert()

    def _convert(self) -> None:
        """Has nothing but bytes and None from here on."""
        if not self._plain:
            if not _PLAIN.issuperset(map(type, self.items)):
                self.items = [as_bytes(item) for item in self.items]
            self._plain = True

    def __len__(self) -> int:
        return len(self.items)

    def put(self, strings: Strings, first: int, count: int) -> None:
        try:
            strings.fill(self._some(first, count))
        except TypeError:
            # Not all of them are bytes, which is not looked at before: it takes longer than all the rest.
            self._convert()
            strings.fill(self._some(first, count))

    def _some(self, first: int, count: int) -> Sequence[Any]:
        # Always a copy, made in one step: callbacks and other threads may change the caller's list meanwhile.
        some = self.items[first : first + count]
        if len(some) != count:
            raise ValueError("the list was changed while it was being sent")
        return some

    def kept(self, first: int, count: int) -> List[Optional[bytes]]:
        self._convert()
        return list(self._some(first, count))


class Buffers(Source):
    """Strings that lie in one piece of memory: by offsets, or all of one width. Keeps what owns the
    memory."""

    def __init__(self, data: _memory.Memory, count: int) -> None:
        self.data = data
        self.count = count
        self.offsets: Optional[_memory.Memory] = None
        self.offset_bits = 32
        self.width = 0
        self.validity: Optional[_memory.Memory] = None
        self.first = 0

    @classmethod
    def of_offsets(cls, data: Any, offsets: Any) -> "Buffers":
        """Bytes, and where in them each string begins and the last one ends."""
        view = memoryview(offsets)
        if (
            view.itemsize not in (4, 8)
            or view.format not in ("i", "l", "q", "I", "L", "Q")
            or view.ndim != 1
        ):
            raise TypeError("offsets must be a buffer of int32 or int64")
        buffers = cls(_memory.of(data), max(0, len(view) - 1))
        buffers.offsets = _memory.of(view, view.itemsize)
        buffers.offset_bits = view.itemsize * 8
        return buffers

    @classmethod
    def of_rows(cls, rows: Any) -> "Buffers":
        """A two-dimensional array of bytes: each row is a string."""
        view = memoryview(rows)
        if not view.c_contiguous:
            view = memoryview(view.tobytes()).cast("B", shape=list(view.shape or ()))
        count, width = view.shape or (0, 0)
        buffers = cls(_memory.of(view), count)
        buffers.width = width
        if not width:
            raise TypeError("rows of no bytes")
        return buffers

    def __len__(self) -> int:
        return self.count

    def put(self, strings: Strings, first: int, count: int) -> None:
        strings.clear()
        strings.data.value, strings.data_len.value = self.data.address, self.data.size
        if self.offsets is not None:
            strings.offsets.value, strings.offset_bits.value = self.offsets.address, self.offset_bits
        strings.width.value = self.width
        strings.validity.value = self.validity.address if self.validity else None
        strings.first.value = self.first + first
        strings.kept = self

    def kept(self, first: int, count: int) -> "_Kept":
        return _Kept(self, first)

    def item(self, index: int) -> Optional[bytes]:
        """One string, copied."""
        index += self.first
        if self.validity is not None and not self.validity.view()[index >> 3] >> (index & 7) & 1:
            return None
        if self.offsets is None:
            begin, end = index * self.width, (index + 1) * self.width
        else:
            entries = self.offsets.view().cast("i" if self.offset_bits == 32 else "q")
            begin, end = entries[index], entries[index + 1]
        return bytes(self.data.view()[begin:end])


class _Kept:
    """Strings of a piece of memory by their number; made when somebody looks."""

    __slots__ = ("_buffers", "_first")

    def __init__(self, buffers: Buffers, first: int) -> None:
        self._buffers = buffers
        self._first = first

    def __getitem__(self, index: int) -> Optional[bytes]:
        return self._buffers.item(self._first + index)

    def __setitem__(self, index: int, nothing: None) -> None:
        """Nothing is kept of single strings."""
