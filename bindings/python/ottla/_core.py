"""What every face of a producer shares: the handle, the stage, the reports. Knows no waiting and no event
loop.

Records are staged: produce() only appends to a list, and one call of the library takes hundreds of them.
The first record of a quiet period goes at once; after it the stage is emptied when it is full, by calls
that wait, and by the ticker every millisecond. While there is no room in the library, staged records stay
where they are, in order, and no others are taken.

`_stage[0]` counts the records that have left the stage for good; the records follow, WIDTH entries each.
Whatever leaves does so in the one assignment that also counts it, so an exception at any place (Ctrl-C,
say) neither loses nor doubles records: `_settle` finds out whether the interrupted call had been carried
out."""

import ctypes
import threading
import time
import warnings
import weakref
from collections import deque
from typing import Any, Deque, Dict, List, Mapping, Optional, Tuple, Union

from ottla import _abi, _fork, _settings
from ottla._abi import ErrorCode
from ottla._columns import WIDTH, Columns
from ottla._events import Events
from ottla._library import CLOSED, ClosedError, check, error_of, last_message, lib, refuse, utf8
from ottla._reports import Chunk, Drain, Failed, OnDelivery, failed
from ottla._ticker import TICKER
from ottla._transactions import call, goes_on, not_configured
from ottla.error import KafkaError, KafkaException
from ottla.metadata import partition_count

Bytes = Union[str, bytes, bytearray, memoryview, None]
HeadersArgument = Union[Mapping[str, Bytes], List[Tuple[str, Bytes]], None]

#: Records that are staged at most.
_STAGED = 512
#: Records that one call of the library takes at most.
_TRANSFER = 2048
#: Bytes from which on a record is not staged: copying it costs more than a call.
LARGE = 16 * 1024
#: Bytes up to which key and value of a staged record are not counted.
SMALL = 1024
#: Bytes of counted records that are staged at most.
_STAGED_BYTES = 64 * 1024
#: Seconds between two records from which on they are not staged.
_QUIET = 0.001
#: Statuses after which nothing more can be sent.
_ENDED = (ErrorCode.CLOSED, ErrorCode.HANDLE, ErrorCode.FATAL, ErrorCode.PANIC, ErrorCode.FORKED)
_SOMETHING_WAITS = memoryview(b"\1" * 8).cast("Q")

Record = Tuple[int, Optional[bytes], Optional[bytes], Optional[OnDelivery], Any]


class Core:
    """A producer without its waits. Every method may be called by any thread."""

    #: What a producer is whose __init__ was never called.
    _handle: Optional[int] = None
    _limit = 0
    _in_child = False
    _words = _SOMETHING_WAITS
    _event_words = memoryview(bytes(8)).cast("I")
    _numbers: Dict[str, int] = {}
    _stage: List[Any] = [0]
    _leftover: Deque[Union[Drain, Failed]] = deque()
    _on_delivery: Optional[OnDelivery] = None

    def _start(self, settings: _settings.Settings) -> None:
        self._handle, self._limits = _settings.open_producer(settings.native)
        handle = self._handle
        self._only_errors = settings.only_errors
        self._transactional = bool(settings.native.get("transactional.id"))
        self._on_delivery = settings.on_delivery
        #: Topics: their numbers, their names, and how many partitions are known to be there.
        self._numbers = {}
        self._names: Dict[int, str] = {}
        self._bounds: Dict[int, int] = {}
        # What is staged, and the limit of its length: 0 unless records come fast.
        self._stage = [0]
        self._staged_bytes = 0
        self._busy = self._closing = False
        self._last = 0.0
        self._most = max(1, min(_STAGED, self._limits.memory_bytes // (32 * SMALL)))
        # A record that may be too large is refused by the call, so it is not staged; where small ones may be, none is.
        self._large = min(LARGE, self._limits.max_request - SMALL)
        self._stages = self._large > 2 * SMALL
        # Outside of a transaction the library refuses records, and the call is to say so.
        self._staging = self._stages and not self._transactional
        # Whether a commit was asked for that has no outcome yet.
        self._committing = False
        self._lock = threading.RLock()
        self._columns = Columns()
        self._journal: Optional[Tuple[int, int]] = None
        # What is on its way.
        self._chunks: Dict[int, Chunk] = {}
        self._next_chunk = 1
        self._refused = self._direct = 0
        # How much the library had taken when it was last asked how much it still has, and that.
        self._asked = self._had = 0
        self._counting = threading.Lock()
        # What is reported.
        self._drains: Deque[Drain] = deque()
        self._leftover = deque()
        where = ctypes.POINTER(ctypes.c_uint32)()
        check(lib.ottla_producer_waiting(handle, ctypes.byref(where)))
        address = ctypes.cast(where, ctypes.c_void_p).value or 0
        both = memoryview((ctypes.c_uint64 * 1).from_address(address)).cast("B")
        self._words, self._event_words = both.cast("Q"), both.cast("I")
        self._events = Events(settings, self._limits.client_id)
        self._abandon = weakref.finalize(self, _abandon, handle, self._stage)
        _fork.watch(self)

    def _open(self) -> int:
        handle = self._handle
        if handle is None:
            raise ClosedError(CLOSED)
        if self._in_child:
            text = "the producer belongs to the parent of this process; make a new one after fork()"
            raise KafkaException(error_of(ErrorCode.FORKED, text, text))
        return handle

    def _forked(self) -> None:
        """In the child of a fork: what was staged is the parent's, and its locks may be held for ever."""
        self._lock, self._counting = threading.RLock(), threading.Lock()
        self._limit, self._busy, self._stage[1:] = 0, False, ()
        self._journal = None
        self._words = _SOMETHING_WAITS
        self._in_child = True

    # ---- Topics

    def _register(self, topic: str) -> int:
        name, number = utf8(topic, "topic"), ctypes.c_uint32()
        status = lib.ottla_producer_topic(self._open(), name, len(name), ctypes.byref(number), None)
        if status:
            refuse(status, "Unable to create topic object")
        self._names[number.value] = topic
        self._numbers[topic] = number.value
        return number.value

    def _has_partition(self, number: int, partition: int) -> bool:
        """Whether the topic is known to have it; so that produce() can say at once if it has not."""
        if partition >= self._bounds.get(number, 0):
            self._bounds[number] = partition_count(self._open(), self._names[number])
        return partition < self._bounds[number]

    # ---- Sending

    def _accept(self, record: Record, size: int, counted: bool) -> bool:
        """Stages or sends a record; False when there is no room. `counted`: its size is not to be
        neglected."""
        with self._lock:
            handle, stage = self._open(), self._stage
            if self._closing:
                raise ClosedError(CLOSED)
            extras = record[4]
            doubtful = bool(extras) and extras[0] != -1 and not self._has_partition(record[0], extras[0])
            if size < self._large and not doubtful and self._staging and self._is_busy():
                if counted:
                    self._staged_bytes += size
                if len(stage) < self._limit and self._staged_bytes < _STAGED_BYTES:
                    stage += record
                    return True
                if self._spill() and len(stage) < self._limit:
                    stage += record
                    return True
                return False
            if not self._spill() or self._room() < 1:
                return False
            status, accepted = self._transfer(handle, list(record), 1)
            self._direct += accepted
            self._set_limit()
            if status == ErrorCode.QUEUE_FULL:
                return False
            if status:
                refuse(status, "Unable to produce message")
            return True

    def _is_busy(self) -> bool:
        """Whether records come fast. Those that do not are sent at once."""
        if not self._busy:
            now = time.monotonic()
            self._busy = now - self._last < _QUIET
            self._last = now
            if self._busy:
                self._set_limit()
                TICKER.watch(self)
        return self._busy

    def _set_limit(self) -> None:
        open_for_more = self._busy and self._staging and not self._closing
        self._limit = 1 + WIDTH * min(self._most, self._room()) if open_for_more else 0

    def _room(self) -> int:
        """How many more records the library takes, as far as their number goes: never too many, and asked
        again before the answer is none. Only with the lock."""
        most = self._limits.max_messages
        if not most:
            return _STAGED
        sent: int = self._stage[0] - self._refused + self._direct
        room: int = most - self._had - (sent - self._asked)
        if room < 1:
            count = ctypes.c_size_t()
            check(lib.ottla_producer_outstanding(self._open(), ctypes.byref(count)))
            self._asked, self._had = sent, count.value
            room = most - count.value
        return max(0, room)

    def _late(self) -> None:
        """A record was staged while the stage was being closed or laid to rest."""
        with self._lock:
            if self._handle is not None:
                self._spill()
            else:
                self._end(ErrorCode.CLOSED, "")
        # The producer was closed meanwhile, and perhaps nobody will poll any more.
        if self._closing:
            for source in list(self._leftover):
                if isinstance(source, Failed):
                    source.serve(self)

    def _spill(self) -> bool:
        """Hands the stage to the library; False when there is no room for all of it. Only with the lock."""
        stage = self._stage
        self._settle()
        while len(stage) > 1:
            handle = self._open()
            count = min((len(stage) - 1) // WIDTH, _TRANSFER)
            self._columns.accepted.value = 0
            self._journal = stage[0], self._next_chunk
            status, accepted = self._transfer(handle, stage[1 : 1 + WIDTH * count], count)
            detail = last_message() if status else ""
            self._settle()
            if status == ErrorCode.QUEUE_FULL:
                self._limit = 0
                return False
            if status in _ENDED:
                self._end(status, detail)
            elif status:
                self._leftover.append(self._take_front(status, detail))
        self._staged_bytes = 0
        self._set_limit()
        return True

    def _settle(self) -> None:
        """Takes what the last transfer accepted out of the stage, if that was not done yet."""
        if self._journal is None:
            return
        start, number = self._journal
        stage, accepted = self._stage, self._columns.accepted.value
        chunk = self._chunks.get(number)
        if chunk is not None and chunk.sent > accepted:
            chunk.sent = accepted
            self._reported(chunk, number, 0)
        if stage[0] == start and accepted:
            stage[0 : 1 + WIDTH * accepted] = (start + accepted,)
        self._journal = None

    def _take_front(self, status: int, detail: str) -> Failed:
        """The report of the first staged record, which is taken away."""
        stage = self._stage
        record = tuple(stage[1 : 1 + WIDTH])
        report = failed(record, self._names[record[0]], status, detail)
        self._refused += 1
        stage[0 : 1 + WIDTH] = (stage[0] + 1,)
        return report

    def _end(self, status: int, detail: str) -> None:
        """Nothing more can be sent: all that is staged is reported as failed."""
        while len(self._stage) > 1:
            self._leftover.append(self._take_front(status, detail))

    def _transfer(self, handle: int, items: List[Any], count: int) -> Tuple[int, int]:
        """One call of the library; it stops at the first record that it refuses. Status and number
        accepted."""
        columns = self._columns
        numbers, values, keys, callbacks, extras = (items[field::WIDTH] for field in range(WIDTH))
        chunk_number = token = 0
        if callbacks[0] is not None or callbacks.count(None) != count:
            chunk_number = self._next_chunk
            self._next_chunk += 1
            token = chunk_number << 32
        columns.begin(numbers[0], count, token, 1 if token else 0)
        if numbers.count(numbers[0]) != count:
            columns.topics(numbers)
        columns.value.fill(values)
        columns.key.fill(keys)
        plain = extras[0] is None and extras.count(None) == count
        if not plain:
            columns.extras(extras)
        if token:
            self._chunks[chunk_number] = Chunk(values, keys, callbacks, None if plain else extras)
        columns.accepted.value = 0
        status: int = lib.ottla_producer_send_columns(
            handle, columns.reference, 0, columns.accepted_reference, None
        )
        accepted: int = columns.accepted.value
        if token and accepted < count:
            chunk = self._chunks[chunk_number]
            chunk.sent = accepted
            self._reported(chunk, chunk_number, 0)
        return status, accepted

    def _tick(self) -> bool:
        """The ticker's call: nothing stays in the stage for long. False when records come slowly again."""
        if not self._lock.acquire(blocking=False):
            return True
        try:
            if self._handle is None or not self._busy:
                return False
            count = self._stage[0] + len(self._stage) // WIDTH
            slow = count - self._ticked < 2
            self._ticked = count
            self._slow_ticks = self._slow_ticks + 1 if slow else 0
            if self._slow_ticks > 3:
                self._busy, self._limit = False, 0
            self._spill()
            return self._busy
        finally:
            self._lock.release()

    _ticked = 0
    _slow_ticks = 0

    # ---- Reports

    def _reported(self, chunk: Chunk, number: int, count: int) -> None:
        """So many records of a chunk were reported; the last one ends it."""
        with self._counting:
            chunk.reported += count
            if chunk.reported == chunk.sent:
                self._chunks.pop(number, None)

    def _serve(self, failures: Optional[List[BaseException]] = None) -> int:
        """Calls the callbacks of all that is reported, and of events, without waiting; the number
        of records. An exception of a callback goes into `failures`, or up if there is no such list:
        then the rest is kept."""
        served = 0
        while True:
            self._open()
            if self._event_words[1]:
                self._events.serve(self)
            source: Union[Drain, Failed, None] = None
            try:
                source = self._next_source()
                count = source.serve(self)
            except BaseException as failure:
                # What it still holds is for the next call.
                if source is not None and source not in self._leftover:
                    self._leftover.appendleft(source)
                if (
                    failures is None
                    or not isinstance(failure, Exception)
                    or isinstance(failure, ClosedError)
                ):
                    if isinstance(failure, ClosedError):
                        self._serve_the_last()
                    raise
                failures.append(failure)
                continue
            if isinstance(source, Drain):
                self._drains.append(source)
            served += count
            if not count and not self._leftover:
                return served

    def _serve_the_last(self) -> None:
        """A callback closed the producer while another one, further out, was under way: what that
        one's turn still holds was taken from the library long ago, and nobody else will serve it."""
        while self._handle is None and self._leftover:
            source = self._next_source()
            while isinstance(source, Failed) or source.segments:
                try:
                    source.serve(self)
                    break
                except Exception:
                    continue  # of a callback, or closed: the next record's turn

    def _next_source(self) -> Union[Drain, Failed]:
        """Where reports come from: first what an exception left over."""
        while self._leftover:
            try:
                first: Union[Drain, Failed] = self._leftover[0]
                self._leftover.remove(first)
                return first
            except (IndexError, ValueError):
                continue  # another thread was faster
        return self._drains.pop() if self._drains else Drain()

    def _purge(self, in_queue: bool, in_flight: bool) -> None:
        """Fails what is staged, queued, in flight."""
        flags = (_abi.PURGE_QUEUED if in_queue else 0) | (_abi.PURGE_IN_FLIGHT if in_flight else 0)
        handle = self._open()
        with self._lock:
            self._spill()
        if in_queue:
            self._end_stage(ErrorCode.PURGED_QUEUE)
        if flags:
            check(lib.ottla_producer_purge(handle, flags))

    def _end_stage(self, status: int) -> None:
        """Fails what there was no room for."""
        with self._lock:
            self._end(status, "there was no room for the record in time")

    def _count(self) -> int:
        """Records whose callback has not been called."""
        if self._handle is None:
            return 0
        count = ctypes.c_size_t()
        check(lib.ottla_producer_outstanding(self._open(), ctypes.byref(count)))
        waiting = sum(_waiting(source) for source in list(self._leftover))
        return count.value + waiting + (len(self._stage) - 1) // WIDTH

    # ---- Transactions

    def _transact(self) -> int:
        """The handle for a call about transactions."""
        handle = self._open()
        if not self._transactional:
            raise not_configured()
        return handle

    def _begin(self) -> None:
        handle = self._transact()
        with self._lock:
            self._spill()  # what came too early does not slip in
            error = call(lib.ottla_producer_begin_transaction, handle)
            if error is not None:
                raise KafkaException(error)
            self._staging = self._stages

    def _end_of_sending(self) -> None:
        """A transaction is about to end, for better or worse: until the next one produce() asks the library."""
        with self._lock:
            self._staging, self._limit = False, 0

    def _ask_commit(self, wait_ms: int) -> Optional[KafkaError]:
        self._committing = True
        error = call(lib.ottla_producer_commit_transaction, self._open(), wait_ms)
        self._committing = error is not None and goes_on(error)
        return error

    def _ask_abort(self, wait_ms: int) -> Optional[KafkaError]:
        return call(lib.ottla_producer_abort_transaction, self._open(), wait_ms)

    def _ask_end(self, wait_ms: int) -> Optional[KafkaError]:
        """A commit under way comes to its end, which no abort can hinder; what else is open is aborted."""
        if self._committing:
            error = self._ask_commit(wait_ms)
            if error is None or goes_on(error):
                return error
        return self._ask_abort(wait_ms)

    def _give_up_stage(self) -> None:
        """Fails what is staged, which an abort would fail."""
        with self._lock:
            self._spill()
        self._end_stage(ErrorCode.ABORTED)

    # ---- The end

    def _free(self) -> None:
        """Gives the handle back."""
        handle, self._handle = self._handle, None
        self._limit, self._words = 0, _SOMETHING_WAITS
        if handle is not None:
            self._abandon.detach()
            lib.ottla_producer_free(handle)


def _waiting(source: Union[Drain, Failed]) -> int:
    if isinstance(source, Failed):
        return 0 if source.done else 1
    segments = list(source.segments or ())
    return sum(len(segment.indices) - segment.at for segment in segments)


def _abandon(handle: int, stage: List[Any]) -> None:
    """The end of a producer that nobody closed: it was collected, or the interpreter exits."""
    count = ctypes.c_size_t()
    forked = lib.ottla_producer_outstanding(handle, ctypes.byref(count))
    lib.ottla_producer_free(handle)
    lost = 0 if forked else count.value + (len(stage) - 1) // WIDTH
    if lost:
        text = f"a producer was not closed: {lost} records were not delivered or not reported"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
