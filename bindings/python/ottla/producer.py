"""The producer, as confluent_kafka has it, with what its users wish for beside.

Callbacks run only inside poll(), flush(), close() and the calls that end a transaction, on the thread that
calls them. Waiting is done here, on the descriptor that the library makes readable, and never inside the
library: so signals are handled at once."""

import contextlib
import logging
import time
from types import TracebackType
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Type

from ottla import _abi, _batch, _settings
from ottla._abi import ErrorCode
from ottla._core import SMALL, Bytes, Core, HeadersArgument
from ottla._library import ClosedError, check, lib, refuse
from ottla._records import as_bytes, as_headers, as_integer
from ottla._reports import OnDelivery
from ottla._survey import cluster_id, list_topics
from ottla._timeout import deadline_of
from ottla._transactions import END_WAIT, Call, GroupArgument, call, goes_on, send_offsets, timed_out
from ottla._wake import Wake
from ottla.error import KafkaError, KafkaException
from ottla.message import Headers, TopicPartition
from ottla.metadata import ClusterMetadata
from ottla.mock import MockCluster

#: What a Producer has without being told: librdkafka's defaults and meanings, and reports with times.
_DEFAULTS = {"compat": "librdkafka", "report.timestamps": "true"}
#: The longest wait, in seconds, before a thread looks whether another one has closed the producer.
_WAIT = 0.5
#: The longest wait of a flush before it looks whether another thread has taken the last reports.
_FLUSH_WAIT = 0.05
#: The longest wait inside of a call about transactions, in which signals and callbacks have to wait, too.
_CALL_WAIT = 0.02


class Producer(Core):
    """Sends records to a Kafka cluster.

    Settings come as a dict with librdkafka's or Kafka's names, as keywords with `_` for `.`, or both;
    keywords win, and a value of None leaves a setting at its default. Defaults are librdkafka's
    (``compat=java`` gives Kafka's). Beside settings of the library there are

    - ``on_delivery(error, message)``: the callback of records that bring none;
    - ``error_cb(error)``: errors that no record stands for; a fatal one is raised from poll() and
      flush() instead;
    - ``throttle_cb(event)``: a :class:`ottla.ThrottleEvent`, when a broker holds the client back;
    - ``logger``: takes log lines by its method ``log``; without it they go to
      ``logging.getLogger("ottla")``;
    - ``delivery.report.only.error``: callbacks only of records that were not delivered.

    ::

        with Producer({"bootstrap.servers": "localhost:9092"}) as producer:
            producer.produce("greetings", "hello", on_delivery=lambda error, message: print(error, message))

    With ``test.mock.num.brokers`` it runs on an embedded cluster and needs no server. Any thread may
    use it. A forked child may not: there every call raises :class:`KafkaException`, whose error equals
    ``ErrorCode.FORKED``."""

    def __init__(self, conf: Optional[Mapping[str, Any]] = None, /, **settings: Any) -> None:
        read = _settings.read(conf, settings, _DEFAULTS)
        self._start(read)
        self._block = self._limits.max_block if read.wait else 0.0
        self._wake = Wake(self._open())

    def produce(
        self,
        topic: str,
        value: Bytes = None,
        key: Bytes = None,
        partition: int = -1,
        callback: Optional[OnDelivery] = None,
        on_delivery: Optional[OnDelivery] = None,
        timestamp: int = 0,
        headers: HeadersArgument = None,
        *,
        block: Optional[float] = None,
    ) -> None:
        """Sends one record; its bytes are copied. Returns at once: the record is on its way within
        a millisecond.

        ``value`` and ``key`` are bytes, str (as UTF-8), any other object with the buffer protocol, or None.
        ``partition`` -1 leaves the choice to the partitioner. ``callback`` (or ``on_delivery``) is
        called with the error, or None, and the :class:`ottla.Message` when the fate of the record
        is known. ``timestamp`` is in milliseconds since 1970; 0 is the time at which the record
        goes to the library. ``headers`` are a dict or a list of pairs.

        Raises BufferError ("Local: Queue full") when ``queue.buffering.max.messages`` or the memory
        is used up: poll() and try again, or give ``block``, the seconds for which to serve
        callbacks until there is room; :class:`KafkaException` for a record that can never be sent;
        RuntimeError after close()."""
        number = self._numbers.get(topic)
        if (
            number is not None
            and type(value) is bytes
            and len(value) < SMALL
            and (key is None or type(key) is bytes and len(key) < SMALL)
            and partition == -1
            and timestamp == 0
            and headers is None
        ):
            if callback is None:
                callback = self._on_delivery if on_delivery is None else on_delivery
            stage = self._stage
            if len(stage) < self._limit:
                stage += (number, value, key, callback, None)
                if not self._limit:
                    self._late()
                return
        self._produce(topic, value, key, partition, callback or on_delivery, timestamp, headers, block)

    def _produce(
        self,
        topic: str,
        value: Bytes,
        key: Bytes,
        partition: int,
        callback: Optional[OnDelivery],
        timestamp: int,
        headers: HeadersArgument,
        block: Optional[float],
    ) -> None:
        """The same for every record, first of a quiet period, large, with headers, or of a new topic."""
        number = self._numbers.get(topic)
        if number is None:
            self._open()
            number = self._register(topic)
        value_bytes, key_bytes = as_bytes(value), as_bytes(key)
        pairs = as_headers(headers) if headers else None
        extras = None
        if partition != _abi.PARTITION_ANY or timestamp or pairs:
            extras = (as_integer(partition), as_integer(timestamp), pairs)
        size = len(value_bytes or b"") + len(key_bytes or b"") + _header_bytes(pairs)
        record = (number, value_bytes, key_bytes, callback or self._on_delivery, extras)
        if not self._accept(record, size, size >= SMALL):
            self._wait_for_room(lambda: self._accept(record, size, size >= SMALL), block)

    def produce_batch(
        self,
        topic: str,
        messages: Optional[Iterable[Mapping[str, Any]]] = None,
        partition: int = -1,
        callback: Optional[OnDelivery] = None,
        on_delivery: Optional[OnDelivery] = None,
        *,
        values: Any = None,
        keys: Any = None,
        headers: Any = None,
        timestamps: Any = None,
        partitions: Any = None,
        block: Optional[float] = None,
    ) -> int:
        """Sends many records of one topic; the fastest way. Either ``messages``, as confluent_kafka
        takes them: dicts with ``value``, ``key``, ``partition``, ``timestamp``, ``headers`` and
        ``callback``; one that cannot be sent gets its :class:`KafkaError` as ``_error``.

        Or columns: ``values`` and ``keys`` are a list of bytes, str or None; a numpy array; an
        Arrow array or chunked array (anything with ``__arrow_c_array__`` or
        ``__arrow_c_stream__``); a two-dimensional array of bytes; or a pair of buffers, the bytes
        and the offsets (int32 or int64, one more than there are values). ``timestamps``
        (milliseconds) and ``partitions`` are sequences or buffers of int64 and int32, ``headers`` a
        sequence with the headers of each record, or headers (a dict or list of pairs) that all
        records get.

        Returns how many were accepted. It stops at the first record for which there is no room:
        send the rest later, or give ``block``, the seconds for which to serve callbacks until there
        is room. A record that can never be sent raises :class:`KafkaException`, whose ``accepted``
        says how many before it were accepted. Without a callback nothing is kept of the records
        here."""
        callback = callback or on_delivery or self._on_delivery
        if messages is not None:
            return _batch.send_messages(self, topic, messages, partition, callback)
        batch = _batch.Batch(values, keys, headers, timestamps, partitions, partition)
        return _batch.send_columns(self, topic, batch, callback, block)

    def poll(self, timeout: Optional[float] = -1) -> int:
        """Serves callbacks; waits up to ``timeout`` seconds (None or below 0: without limit) for
        the first report.

        Returns the number of records reported. An exception of a callback comes out of here; the
        reports behind it stay for the next call. ``poll(0)`` costs next to nothing while nothing is
        reported."""
        if timeout == 0:
            if not self._words[0] and not self._leftover:
                return 0
            return self._serve()
        deadline = deadline_of(timeout)
        self._spill_now()
        while True:
            served = self._serve()
            if served or not self._wait(deadline, _WAIT):
                return served

    def flush(self, timeout: Optional[float] = -1) -> int:
        """Sends what lingers, and serves callbacks until no record is on its way or ``timeout``
        seconds have passed (None or below 0: without limit). Returns how many records are left."""
        return self._flush(deadline_of(timeout), None)

    def purge(self, in_queue: bool = True, in_flight: bool = True, blocking: bool = True) -> None:
        """Fails records instead of waiting for them; the callbacks follow in poll() with
        ``_PURGE_QUEUE`` or ``_PURGE_INFLIGHT``. It never waits, whatever ``blocking`` says."""
        self._purge(in_queue, in_flight)

    def init_transactions(self, timeout: Optional[float] = -1, /) -> None:
        """Gets the producer's id from the coordinator of its ``transactional.id``: once, before the first transaction.
        An older producer with the same ``transactional.id`` is shut out from here on, and what it left open is aborted.

        All calls about transactions wait up to ``timeout`` seconds (None or below 0: without limit), and raise
        :class:`KafkaException`, whose error tells what to do: ``retriable()`` (``_TIMED_OUT``): make the same call
        again, which goes on; ``txn_requires_abort()``: call abort_transaction(), then begin again; ``fatal()``
        (``_FENCED`` above all): close the producer. ``_STATE``: the call does not fit; ``_NOT_CONFIGURED``: there
        is no ``transactional.id``."""
        handle = self._transact()
        self._until_done(lambda ms: call(lib.ottla_producer_init_transactions, handle, ms), deadline_of(timeout))

    def begin_transaction(self) -> None:
        """Begins a transaction: records sent from now on until it ends belong to it. Does not wait. Without a
        transaction produce() raises :class:`KafkaException` with ``_STATE``."""
        self._begin()

    def send_offsets_to_transaction(
        self, positions: List[TopicPartition], group_metadata: GroupArgument, timeout: Optional[float] = -1
    ) -> None:
        """Has offsets of a consumer group committed with the transaction. Each offset is that of the next record to
        read; positions without one are left out. ``group_metadata`` is an :class:`ottla.ConsumerGroupMetadata`, or
        what ``consumer_group_metadata()`` of a confluent_kafka consumer gives."""
        send, group = send_offsets(self._transact(), positions, group_metadata)
        try:
            self._until_done(send, deadline_of(timeout))
        finally:
            lib.ottla_group_metadata_free(group)

    def commit_transaction(self, timeout: Optional[float] = -1, /) -> None:
        """Flushes, serving callbacks, and commits: readers of committed data see all of the transaction, or nothing.
        A record that failed makes it fail: abort then."""
        self._transact()
        deadline = deadline_of(timeout)
        left = self._flush(deadline, None)
        if left:
            raise KafkaException(timed_out(f"{left} records are not delivered"))
        self._end_of_sending()
        self._until_done(self._ask_commit, deadline)

    def abort_transaction(self, timeout: Optional[float] = -1, /) -> None:
        """Gives the transaction up, and serves the callbacks of its records; those that were not sent have failed with
        ``_PURGE_QUEUE``."""
        self._transact()
        deadline = deadline_of(timeout)
        self._end_of_sending()
        self._give_up_stage()
        self._until_done(self._ask_abort, deadline)
        self._flush(deadline, None)  # reports come on their own

    @contextlib.contextmanager
    def transaction(self, timeout: Optional[float] = -1) -> "Iterator[Producer]":
        """A transaction as a ``with`` block, which commits at its end, within ``timeout`` seconds. If the block raises,
        or the commit fails, it aborts, and that exception comes out. A commit whose time is over can no longer be
        aborted: it gets 30 seconds more, and no exception comes out if it succeeds. An abort gets as long::

            producer.init_transactions()
            with producer.transaction():
                producer.produce("orders", "paid")
                producer.produce("bills", "sent")
        """
        self.begin_transaction()
        try:
            yield self
            self.commit_transaction(timeout)
        except BaseException as failure:
            committed = self._resume_commit()
            if committed and isinstance(failure, KafkaException):
                return  # it was only late
            if not committed:
                self._abort_quietly()
            raise

    def _resume_commit(self) -> bool:
        """Whether a commit was under way, and has succeeded now."""
        if not self._committing:
            return False
        try:
            self._until_done(self._ask_commit, deadline_of(END_WAIT))
            return True
        except (KafkaException, RuntimeError):
            return False

    def _abort_quietly(self) -> None:
        """The exception that led here is what comes out."""
        try:
            self.abort_transaction(END_WAIT)
        except (KafkaException, RuntimeError) as failure:
            logging.getLogger("ottla").debug("a transaction was not aborted: %s", failure)

    def _end_transaction(self, deadline: float, failures: List[BaseException]) -> None:
        """Before closing: nothing stays open until transaction.timeout.ms, which readers would wait for."""
        if not self._transactional:
            return
        self._end_of_sending()
        try:
            self._until_done(self._ask_end, min(deadline, deadline_of(END_WAIT)), failures)
        except KafkaException as failure:
            if failure.error != ErrorCode.STATE:  # nothing was open
                logging.getLogger("ottla").debug("a transaction was left to its timeout: %s", failure)

    def _until_done(self, ask: Call, deadline: float, failures: Optional[List[BaseException]] = None) -> None:
        """Makes a call until it has an outcome; callbacks and signals come between."""
        while True:
            left = 0.0 if deadline == 0 else max(0.0, deadline - time.monotonic())
            error = ask(int(min(left, _CALL_WAIT) * 1000))
            if error is None:
                return
            if not goes_on(error) or left <= _CALL_WAIT:
                raise KafkaException(error)
            self._serve(failures)

    def list_topics(self, topic: Optional[str] = None, timeout: float = -1) -> ClusterMetadata:
        """Asks the cluster for its brokers and topics, or for one topic, which is not created. Waits up to
        ``timeout`` seconds (below 0: without limit); raises :class:`KafkaException` with ``_TRANSPORT`` or
        ``_TIMED_OUT``."""
        if self._handle is None:
            raise ClosedError("Handle has been closed")
        return list_topics(self._handle, topic, timeout)

    def cluster_id(self, timeout: float = -1) -> str:
        """The id of the cluster; waits and fails as list_topics()."""
        return cluster_id(self._open(), timeout)

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Not built into this version: raises :class:`KafkaException` with ``_NOT_IMPLEMENTED``."""
        for place, text in enumerate((username, password), start=1):
            if not isinstance(text, str):
                raise TypeError(f"argument {place} must be str, not {type(text).__name__}")
        self._open()
        text = "SASL is not built into this version of ottla"
        raise KafkaException(KafkaError(KafkaError._NOT_IMPLEMENTED, text))

    def wait_ready(self, timeout: Optional[float] = -1) -> None:
        """Waits until a broker has answered; raises :class:`KafkaException` at once when all refuse, and
        after ``timeout`` seconds."""
        deadline = deadline_of(timeout)
        while True:
            left = 0.0 if deadline == 0 else max(0.0, deadline - time.monotonic())
            status = lib.ottla_producer_wait_ready(self._open(), int(min(left, 0.1) * 1000), None)
            if status == 0:
                return
            if status != ErrorCode.TIMED_OUT or left <= 0.1:
                refuse(status, "No broker can be used")

    def mock_cluster(self) -> MockCluster:
        """The embedded cluster of a producer with ``test.mock.num.brokers``. It ends with the producer."""
        return MockCluster._of(self._open(), self)

    def close(self, timeout: Optional[float] = -1) -> bool:
        """Flushes for up to ``timeout`` seconds (None or below 0: without limit), fails what is
        left then, and serves all callbacks. The first exception of a callback is raised at the end.
        A second call changes nothing. An open transaction is aborted, one that is being committed is
        committed, in the time that is left, 30 seconds at most.

        Returns False if records had to be failed because the time was over.
        """
        failures: List[BaseException] = []
        in_time = True
        handle = self._handle
        if handle is None:
            return True
        try:
            deadline = deadline_of(timeout)
            self._flush(deadline, failures)
            self._closing, self._limit = True, 0
            self._spill_now()
            self._end_transaction(deadline, failures)
            status = lib.ottla_producer_close(handle, 0, None)
            in_time = status != ErrorCode.TIMED_OUT
            if in_time:
                check(status)
            in_time = in_time and len(self._stage) == 1
            self._end_stage(ErrorCode.ABORTED)
            while self._serve(failures):
                pass
        except ClosedError:
            pass  # nothing is left, or another thread was faster
        except KafkaException as failure:
            if failure.error == ErrorCode.FORKED:
                raise
            failures.append(failure)
        self._closing = True
        self._free()
        if failures:
            raise failures[0]
        return in_time

    def __enter__(self) -> "Producer":
        self._open()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Records sent whose callback has not been called; 0 after close()."""
        return self._count()

    def __bool__(self) -> bool:
        return True  # else a producer with nothing to do would be false

    def _spill_now(self) -> None:
        self._open()
        with self._lock:
            if len(self._stage) > 1 or self._journal is not None:
                self._spill()

    def _wait_for_room(self, accept: Any, block: Optional[float]) -> None:
        """Serves callbacks until there is room; BufferError when the time is over. Without a time nothing is
        served: a produce() that may not wait runs no callbacks."""
        deadline = deadline_of(self._block if block is None else block)
        while deadline:
            self._serve()
            if accept():
                return
            if not self._wait(deadline, _FLUSH_WAIT):
                break
        raise BufferError("Local: Queue full")

    def _wait(self, deadline: float, longest: float) -> bool:
        """Waits for a report; False when the deadline has passed before."""
        left = 0.0 if deadline == 0 else deadline - time.monotonic()
        if left <= 0:
            return False
        self._wake.wait(self._open(), min(left, longest))
        return True

    def _flush(self, deadline: float, failures: Optional[List[BaseException]]) -> int:
        while True:
            self._serve(failures)
            self._spill_now()
            # Never waits inside the library: this asks it to hurry, and whether it is done.
            status = lib.ottla_producer_flush(self._open(), 0, None)
            if status == 0:
                self._serve(failures)
                left = len(self)
                if not left:
                    return 0
            elif status != ErrorCode.TIMED_OUT:
                refuse(status)
            if not self._wait(deadline, _FLUSH_WAIT):
                return len(self)


def _header_bytes(pairs: Optional[Headers]) -> int:
    return sum(len(name) + len(value or b"") for name, value in pairs) if pairs else 0
