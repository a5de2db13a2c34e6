"""The producer for asyncio: one await per record, no threads, no polling.

Reports come over the descriptor that the library makes readable, which the event loop watches. Records that tasks send
in one turn of the loop go to the library together at its end. When there is no room, ``send`` waits.
"""

import asyncio
import contextlib
import ctypes
import functools
import logging
import time
from collections import deque
from types import TracebackType
from typing import Any, AsyncIterator, Deque, List, Mapping, Optional, Type

from ottla import _settings
from ottla._abi import ErrorCode
from ottla._core import SMALL, Bytes, Core, HeadersArgument
from ottla._library import check, lib, refuse
from ottla._records import as_bytes, as_headers, as_integer
from ottla._survey import list_topics
from ottla._timeout import deadline_of
from ottla._transactions import END_WAIT, Call, GroupArgument, call, goes_on, send_offsets, timed_out
from ottla.error import KafkaError, KafkaException, ProduceError
from ottla.message import Message, TopicPartition
from ottla.metadata import ClusterMetadata
from ottla.mock import MockCluster

#: What a Producer has without being told: Kafka's own defaults, and reports with times.
_DEFAULTS = {"report.timestamps": "true"}
#: Seconds between looks where the system has no descriptor to watch, and while nothing else would tell of an end.
_LOOK = 0.005


class Producer(Core):
    """Sends records to a Kafka cluster from coroutines of one event loop::

        async with Producer(bootstrap_servers="localhost:9092") as producer:
            message = await producer.send("greetings", "hello")
            print(message.partition(), message.offset())

    Settings are those of :class:`ottla.Producer`, but with Kafka's own defaults (``compat=librdkafka`` gives the
    others), and without ``on_delivery``: the fate of a record is what ``send`` returns or raises. To be used on the
    event loop of its first call only, and to be closed there.
    """

    def __init__(self, conf: Optional[Mapping[str, Any]] = None, /, **settings: Any) -> None:
        read = _settings.read(conf, settings, _DEFAULTS)
        if read.on_delivery is not None:
            raise TypeError("ottla.aio.Producer has no on_delivery: send() returns the report")
        self._start(read)
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._fd = -1
        self._scheduled = False
        #: Who waits for room, and who for any report.
        self._for_room: Deque["asyncio.Future[None]"] = deque()
        self._for_reports: Deque["asyncio.Future[None]"] = deque()

    async def send(
        self,
        topic: str,
        value: Bytes = None,
        key: Bytes = None,
        *,
        partition: int = -1,
        timestamp: int = 0,
        headers: HeadersArgument = None,
    ) -> Message:
        """Sends one record and returns its :class:`ottla.Message` when it is stored; arguments as
        :meth:`ottla.Producer.produce`.

        Waits for room first if there is none. Raises :class:`ottla.error.ProduceError` (a
        :class:`ottla.KafkaException` with the record in ``kafka_message``) when it is not delivered,
        :class:`ottla.KafkaException` when it can never be sent, RuntimeError after close(). Whoever stops waiting does
        not stop the record.
        """
        arguments = (topic, value, key, partition, timestamp, headers)
        future = None if self._for_room else self._try(*arguments)
        while future is None:
            await self._wait_in(self._for_room)
            future = self._try(*arguments)
        return await future

    def send_nowait(
        self,
        topic: str,
        value: Bytes = None,
        key: Bytes = None,
        *,
        partition: int = -1,
        timestamp: int = 0,
        headers: HeadersArgument = None,
    ) -> "asyncio.Future[Message]":
        """As :meth:`send`, but returns at once: a future of the message. BufferError when there is no room."""
        future = None if self._for_room else self._try(topic, value, key, partition, timestamp, headers)
        if future is None:
            raise BufferError("Local: Queue full")
        return future

    async def flush(self, timeout: Optional[float] = None) -> int:
        """Sends what lingers and waits until no record is on its way or ``timeout`` seconds have passed (None: without
        limit). Returns how many records are left."""
        self._attach()
        deadline = deadline_of(timeout)
        while True:
            self._on_readable()
            status = lib.ottla_producer_flush(self._open(), 0, None)
            if status not in (0, ErrorCode.TIMED_OUT):
                refuse(status)
            left = self._count()
            if not left or time.monotonic() >= deadline:
                return left
            limit = min(0.05, max(0.0, deadline - time.monotonic()))
            try:
                await asyncio.wait_for(self._wait_in(self._for_reports), limit)
            except asyncio.TimeoutError:
                pass

    async def init_transactions(self, timeout: Optional[float] = None) -> None:
        """As :meth:`ottla.Producer.init_transactions`, with the same errors."""
        handle = self._transact()
        await self._until_done(lambda ms: call(lib.ottla_producer_init_transactions, handle, ms), deadline_of(timeout))

    def begin_transaction(self) -> None:
        """As :meth:`ottla.Producer.begin_transaction`; does not wait."""
        self._begin()

    async def send_offsets_to_transaction(
        self, positions: List[TopicPartition], group_metadata: GroupArgument, timeout: Optional[float] = None
    ) -> None:
        """As :meth:`ottla.Producer.send_offsets_to_transaction`."""
        send, group = send_offsets(self._transact(), positions, group_metadata)
        try:
            await self._until_done(send, deadline_of(timeout))
        finally:
            lib.ottla_group_metadata_free(group)

    async def commit_transaction(self, timeout: Optional[float] = None) -> None:
        """As :meth:`ottla.Producer.commit_transaction`: all of the transaction, or nothing."""
        self._transact()
        deadline = deadline_of(timeout)
        left = await self.flush(timeout)
        if left:
            raise KafkaException(timed_out(f"{left} records are not delivered"))
        self._end_of_sending()
        await self._until_done(self._ask_commit, deadline)

    async def abort_transaction(self, timeout: Optional[float] = None) -> None:
        """As :meth:`ottla.Producer.abort_transaction`; whoever awaits one of its records is told."""
        self._transact()
        self._end_of_sending()
        self._give_up_stage()
        await self._until_done(self._ask_abort, deadline_of(timeout))
        self._on_readable()

    @contextlib.asynccontextmanager
    async def transaction(self, timeout: Optional[float] = None) -> "AsyncIterator[Producer]":
        """A transaction as an ``async with`` block, which commits at its end, within ``timeout`` seconds. If the block
        raises, or the commit fails, it aborts, and that exception comes out. A commit whose time is over, or that is
        cancelled, can no longer be aborted: it gets 30 seconds more, and if it succeeds only a cancellation comes out. An
        abort gets as long."""
        self.begin_transaction()
        try:
            yield self
            await self.commit_transaction(timeout)
        except BaseException as failure:
            committed = await self._resume_commit()
            if committed and isinstance(failure, KafkaException):
                return  # it was only late
            if not committed:
                await self._abort_quietly()
            raise

    async def _resume_commit(self) -> bool:
        """Whether a commit was under way, and has succeeded now."""
        if not self._committing:
            return False
        try:
            await self._until_done(self._ask_commit, deadline_of(END_WAIT))
            return True
        except (KafkaException, RuntimeError):
            return False

    async def _abort_quietly(self) -> None:
        """The exception that led here is what comes out."""
        try:
            await self.abort_transaction(END_WAIT)
        except (KafkaException, RuntimeError) as failure:
            logging.getLogger("ottla").debug("a transaction was not aborted: %s", failure)

    async def _end_transaction(self, deadline: float) -> None:
        """Before closing: nothing stays open until transaction.timeout.ms, which readers would wait for."""
        if not self._transactional:
            return
        self._end_of_sending()
        try:
            await self._until_done(self._ask_end, min(deadline, deadline_of(END_WAIT)))
        except (KafkaException, RuntimeError) as failure:
            logging.getLogger("ottla").debug("no transaction was ended: %s", failure)

    async def _until_done(self, ask: Call, deadline: float) -> None:
        """Makes a call until it has an outcome."""
        self._attach()
        while True:
            error = ask(0)
            if error is None:
                return
            over = time.monotonic() >= deadline
            if not goes_on(error) or over:
                raise KafkaException(error)
            await asyncio.sleep(_LOOK)

    async def wait_ready(self, timeout: Optional[float] = None) -> None:
        """Waits until a broker has answered; raises :class:`ottla.KafkaException` at once when all refuse, and after
        ``timeout`` seconds."""
        deadline = deadline_of(timeout)
        while True:
            status = lib.ottla_producer_wait_ready(self._open(), 0, None)
            if status == 0:
                return
            over = time.monotonic() >= deadline
            if status != ErrorCode.TIMED_OUT or over:
                refuse(status, "No broker can be used")
            await asyncio.sleep(_LOOK)

    async def list_topics(self, topic: Optional[str] = None, timeout: float = -1) -> ClusterMetadata:
        """As :meth:`ottla.Producer.list_topics`; the one call that borrows a thread of the loop's executor."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, list_topics, self._open(), topic, timeout)

    def purge(self, in_queue: bool = True, in_flight: bool = True) -> None:
        """Fails records instead of waiting for them: whoever awaits them gets ``_PURGE_QUEUE`` or
        ``_PURGE_INFLIGHT``."""
        self._purge(in_queue, in_flight)

    def mock_cluster(self) -> MockCluster:
        """The embedded cluster of a producer with ``test.mock.num.brokers``. It ends with the producer."""
        return MockCluster._of(self._open(), self)

    async def close(self, timeout: Optional[float] = None) -> bool:
        """Flushes for up to ``timeout`` seconds (None: without limit) and fails what is left then. A second call
        changes nothing. Returns False if records had to be failed. An open transaction is aborted, one that is being
        committed is committed, in the time that is left, 30 seconds at most."""
        if self._handle is None:
            return True
        deadline = deadline_of(timeout)
        left = await self.flush(timeout)
        self._closing, self._limit = True, 0
        if self._handle is not None:
            await self._end_transaction(deadline)
        handle = self._handle
        if handle is None:
            return True  # another task was faster
        lib.ottla_producer_close(handle, 0, None)
        self._end_stage(ErrorCode.ABORTED)
        try:
            while self._serve([]):
                pass
        except RuntimeError:
            pass  # all is taken
        if self._loop is not None and self._fd >= 0:
            self._loop.remove_reader(self._fd)
        self._free()
        self._wake_all(self._for_room)
        self._wake_all(self._for_reports)
        return not left

    async def __aenter__(self) -> "Producer":
        self._attach()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.close()

    def __len__(self) -> int:
        """Records sent that were not reported; 0 after close()."""
        return self._count()

    def __bool__(self) -> bool:
        return True

    def _attach(self) -> asyncio.AbstractEventLoop:
        """Has the running loop watch the reports, once."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return loop
        if self._loop is not None:
            raise RuntimeError("this producer belongs to another event loop")
        fd = ctypes.c_int32()
        status = lib.ottla_producer_event_fd(self._open(), ctypes.byref(fd), None)
        self._loop = loop
        if status == 0 and hasattr(loop, "add_reader"):
            try:
                loop.add_reader(fd.value, self._on_readable)
                self._fd = fd.value
                return loop
            except NotImplementedError:
                pass  # Windows' default loop
        elif status not in (0, ErrorCode.UNSUPPORTED):
            check(status)
        loop.call_later(_LOOK, self._look)
        return loop

    def _look(self) -> None:
        """Where there is no descriptor to watch."""
        if self._handle is not None and self._loop is not None:
            self._on_readable()
            self._loop.call_later(_LOOK, self._look)

    def _try(
        self, topic: str, value: Bytes, key: Bytes, partition: int, timestamp: int, headers: HeadersArgument
    ) -> "Optional[asyncio.Future[Message]]":
        """Takes a record in, or None if there is no room."""
        loop = self._attach()
        self._open()
        number = self._numbers.get(topic)
        if number is None:
            number = self._register(topic)
        value_bytes, key_bytes = as_bytes(value), as_bytes(key)
        pairs = as_headers(headers) if headers else None
        extras = None
        if partition != -1 or timestamp or pairs:
            extras = (as_integer(partition), as_integer(timestamp), pairs)
        size = len(value_bytes or b"") + len(key_bytes or b"")
        future: "asyncio.Future[Message]" = loop.create_future()
        record = (number, value_bytes, key_bytes, functools.partial(_resolve, future), extras)
        if not self._accept(record, size, size >= SMALL):
            return None
        if not self._scheduled and len(self._stage) > 1:
            self._scheduled = True
            loop.call_soon(self._end_of_turn)
        return future

    def _is_busy(self) -> bool:
        # Every turn of the loop empties the stage: no ticker is needed.
        if not self._busy:
            self._busy = True
            self._set_limit()
        return True

    def _end_of_turn(self) -> None:
        self._scheduled = False
        if self._handle is not None:
            with self._lock:
                self._spill()

    def _on_readable(self) -> None:
        if self._handle is None:
            return
        try:
            self._serve()
        finally:
            self._end_of_turn()
            self._wake_all(self._for_reports)
            self._wake_all(self._for_room)

    async def _wait_in(self, line: "Deque[asyncio.Future[None]]") -> None:
        future: "asyncio.Future[None]" = self._attach().create_future()
        line.append(future)
        await future

    @staticmethod
    def _wake_all(line: "Deque[asyncio.Future[None]]") -> None:
        while line:
            future = line.popleft()
            if not future.done():
                future.set_result(None)


def _resolve(future: "asyncio.Future[Message]", error: Optional[KafkaError], message: Message) -> None:
    if future.done():
        return  # nobody waits any more
    if error is None:
        future.set_result(message)
    else:
        future.set_exception(ProduceError(error, None, message))


__all__ = ["Producer"]
