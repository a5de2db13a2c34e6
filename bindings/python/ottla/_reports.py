"""Takes reports from the library and calls the callbacks of the records in them.

What is taken is never lost: whatever exception comes in between (of a callback, or Ctrl-C at any place),
the rest stays for the next call. Each step can therefore be repeated until the one assignment that makes it
count."""

import ctypes
import struct
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Tuple

from ottla import _abi
from ottla._library import error_of, last_message, lib, refuse
from ottla.message import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Extras,
    Message,
    Outcome,
    Persistence,
)

if TYPE_CHECKING:
    from ottla._core import Core
    from ottla.error import KafkaError

OnDelivery = Callable[[Optional["KafkaError"], Message], object]

#: Records and runs that one call takes from the library.
_TOKENS, _RUNS = 4096, 256
_FORMATS = {ctypes.c_size_t: "N", ctypes.c_int64: "q", ctypes.c_uint32: "I", ctypes.c_int32: "i"}
_RUN = struct.Struct("@" + "".join(_FORMATS[kind] for _, kind in _abi.Run._fields_))  # type: ignore[misc,index]
#: Where in a token, seen as two 32-bit words, the number of the record in its chunk is, and that of the
#: chunk.
_LOW, _HIGH = (0, 1) if sys.byteorder == "little" else (1, 0)
_PERSISTENCE = {int(member): member for member in Persistence}
_new = object.__new__


class Chunk:
    """Records that went to the library together and have callbacks. Lets each go with its report."""

    __slots__ = ("values", "keys", "callbacks", "extras", "sent", "reported")

    def __init__(
        self,
        values: Any,
        keys: Any,
        callbacks: List[Optional[OnDelivery]],
        extras: Optional[Sequence[Optional[Extras]]],
    ) -> None:
        self.values = values
        self.keys = keys
        self.callbacks = callbacks
        self.extras = extras
        self.sent = len(callbacks)
        self.reported = 0


class Segment:
    """Records of one chunk in one report; `indices` are their places in the chunk."""

    __slots__ = ("outcome", "from_", "chunk", "number", "indices", "at", "finished")

    def __init__(
        self, outcome: Outcome, from_: int, chunk: Optional[Chunk], number: int, indices: Sequence[int]
    ) -> None:
        self.outcome = outcome
        self.from_ = from_
        self.chunk = chunk
        self.number = number
        self.indices = indices
        self.at = 0
        self.finished = False

    def serve(self, core: "Core") -> int:
        """Calls the callbacks that were not called yet; the number of records that were not counted
        before."""
        chunk, begin = self.chunk, self.at
        if chunk is not None:
            if not (core._only_errors and self.outcome.error is None):
                self._call(chunk)
            if not self.finished:
                self.finished = True
                core._reported(chunk, self.number, len(self.indices))
        return len(self.indices) - begin

    def _call(self, chunk: Chunk) -> None:
        outcome, from_ = self.outcome, self.from_
        error = outcome.error
        values, keys, callbacks, extras = chunk.values, chunk.keys, chunk.callbacks, chunk.extras
        indices = self.indices
        done = self.at
        try:
            for at in range(done, len(indices)):
                index = indices[at]
                callback = callbacks[index]
                if callback is None:
                    continue
                message = _new(Message)
                message._value = values[index]
                message._key = keys[index]
                message._extras = extras[index] if extras else None
                message._outcome = outcome
                message._at = from_ + at
                # In one line, because nothing may come between.
                done = at + 1; callback(error, message)  # fmt: skip  # noqa: E702
                values[index] = keys[index] = callbacks[index] = None
            done = len(indices)
        finally:
            self.at = done


class Failed:
    """A record that the library refused after produce() had taken it."""

    __slots__ = ("callback", "message", "done")

    def __init__(self, callback: Optional[OnDelivery], message: Message) -> None:
        self.callback = callback
        self.message = message
        self.done = False

    def serve(self, core: "Core") -> int:
        """Calls its callback."""
        if not self.done and self.callback is not None:
            error, call = self.message.error(), self.callback
            self.done = True; call(error, self.message)  # fmt: skip  # noqa: E702
        return 1


class Drain:
    """Where the library writes reports; each thread in a poll has one."""

    def __init__(self) -> None:
        self.runs = (_abi.Run * _RUNS)()
        self.tokens = (ctypes.c_uint64 * _TOKENS)()
        self.times = (ctypes.c_int64 * _TOKENS)()
        self.run_count, self.token_count = ctypes.c_size_t(), ctypes.c_size_t()
        self._places = (
            self.runs, _RUNS, self.tokens, self.times, _TOKENS, 0,
            ctypes.byref(self.run_count), ctypes.byref(self.token_count),
        )  # fmt: skip
        self._run_bytes = memoryview(self.runs).cast("B")
        self._words = memoryview(self.tokens).cast("B").cast("I")
        self._time_bytes = memoryview(self.times).cast("B")
        #: What is left of the reports, the next one last; None when they were not looked at yet.
        self.segments: Optional[List[Segment]] = None

    def serve(self, core: "Core") -> int:
        """Takes what there is, without waiting, and calls callbacks. The number of records; 0:
        there was nothing."""
        if self.segments is None:
            if not self.token_count.value:
                self._fill(core)
            self.segments = self._build(core)
        served = 0
        segments = self.segments
        while segments:
            served += segments[-1].serve(core)
            segments.pop()
        self.token_count.value = 0
        self.segments = None
        return served

    def _fill(self, core: "Core") -> None:
        status = lib.ottla_producer_poll_runs(core._open(), *self._places)
        if status:
            refuse(status)

    def _build(self, core: "Core") -> List[Segment]:
        segments: List[Segment] = []
        if not self.token_count.value:
            return segments
        runs = self._run_bytes[: self.run_count.value * _RUN.size]
        for (
            first,
            count,
            offset,
            append_ms,
            topic,
            partition,
            status,
            persistence,
            latency_us,
            text,
        ) in _RUN.iter_unpack(runs):
            outcome = Outcome(core._names[topic], partition, offset)
            outcome.latency = latency_us / 1e6
            outcome.persistence = _PERSISTENCE[persistence]
            if status:
                outcome.error = error_of(status, _text(core, text) if text else "")
            if append_ms >= 0:
                outcome.time_type, outcome.times = TIMESTAMP_LOG_APPEND_TIME, (append_ms,)
            else:
                copy = bytes(self._time_bytes[first * 8 : (first + count) * 8])
                outcome.time_type, outcome.times = TIMESTAMP_CREATE_TIME, memoryview(copy).cast("q")
            self._split(core._chunks, outcome, first, count, segments)
        segments.reverse()
        return segments

    def _split(
        self, chunks: Dict[int, Chunk], outcome: Outcome, first: int, count: int, segments: List[Segment]
    ) -> None:
        """The records of a run by chunk."""
        end = 2 * (first + count)
        indices = self._words[2 * first + _LOW : end : 2].tolist()
        numbers = self._words[2 * first + _HIGH : end : 2].tolist()
        begin = 0
        while begin < count:
            number = numbers[begin]
            if numbers[-1] == number and numbers.count(number) == count - begin:
                stop = count
            else:
                stop = begin + 1
                while stop < count and numbers[stop] == number:
                    stop += 1
            some = indices if stop - begin == count else indices[begin:stop]
            segments.append(Segment(outcome, begin, chunks.get(number), number, some))
            begin = stop


def _text(core: "Core", number: int) -> str:
    handle, size = core._handle, ctypes.c_size_t()
    lib.ottla_producer_message(handle, number, None, 0, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value + 1)
    if lib.ottla_producer_message(handle, number, buffer, len(buffer), None):
        return last_message()
    return buffer.value.decode("utf-8", "replace")


def failed(record: Tuple[Any, ...], topic: str, status: int, detail: str) -> Failed:
    """The report of a staged record that the library refused."""
    _, value, key, callback, extras = record
    outcome = Outcome(topic, extras[0] if extras else -1, -1)
    outcome.error, outcome.persistence = error_of(status, detail), Persistence.NOT_PERSISTED
    message = _new(Message)
    message._value, message._key, message._extras = value, key, extras
    message._outcome, message._at = outcome, 0
    return Failed(callback, message)
