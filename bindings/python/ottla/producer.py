"""The producer: hands records to the library and serves the delivery callbacks. Owns the handle of one producer.

Callbacks run only inside poll(), flush() and close(), on the thread that calls them. Waiting is done here, on
the descriptor that the library makes readable, and never inside the library: so signals are handled at once.
"""

import ctypes
import time
import warnings
import weakref
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type, Union

from ottla import _abi
from ottla._library import ClosedError, check, error_of, last_message, lib, refuse, utf8
from ottla._wake import Wake
from ottla.error import KafkaError, KafkaException
from ottla.message import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Message,
    Persistence,
)
from ottla.mock import MockCluster

Bytes = Union[str, bytes, bytearray, memoryview, None]
OnDelivery = Callable[[Optional[KafkaError], Message], object]
HeadersArgument = Union[Mapping[str, Bytes], List[Tuple[str, Bytes]], None]

#: Records and runs that one call takes from the library.
_TOKENS, _RUNS = 1024, 64
#: The longest wait, in seconds, before a thread looks whether another one has closed the producer.
_WAIT = 0.5
#: The longest wait of a flush before it looks whether another thread has taken the last reports.
_FLUSH_WAIT = 0.05


class _Sent(NamedTuple):
    """What is kept of a record until its report; its `id` is the token."""

    on_delivery: OnDelivery
    topic: str
    key: Optional[bytes]
    value: Optional[bytes]
    headers: Optional[List[Tuple[str, Optional[bytes]]]]


class _Place:
    """Where the library writes reports; each thread in a poll has one."""

    def __init__(self) -> None:
        self.runs = (_abi.Run * _RUNS)()
        self.tokens = (ctypes.c_uint64 * _TOKENS)()
        self.times = (ctypes.c_int64 * _TOKENS)()
        self.run_count = ctypes.c_size_t()
        self.token_count = ctypes.c_size_t()

    def fill(self, handle: int) -> int:
        """Takes what there is, without waiting; returns the status."""
        status: int = lib.ottla_producer_poll_runs(
            handle, self.runs, _RUNS, self.tokens, self.times, _TOKENS, 0,
            ctypes.byref(self.run_count), ctypes.byref(self.token_count),
        )  # fmt: skip
        return status


class Producer:
    """Sends records to a Kafka cluster.

    Settings come as a dict with Kafka's or librdkafka's names, as keywords with `_` for `.`, or both; a value of
    None leaves a setting at its default. ``on_delivery`` among them is the callback of records that bring none::

        with Producer({"bootstrap.servers": "localhost:9092"}) as producer:
            producer.produce("greetings", "hello", on_delivery=lambda error, message: print(error, message))

    With ``test.mock.num.brokers`` it runs on an embedded cluster and needs no server. Any thread may use it. A
    forked child may not: there every call raises :class:`KafkaException` with ``ErrorCode.FORKED``.
    """

    def __init__(self, conf: Optional[Mapping[str, Any]] = None, **settings: Any) -> None:
        self._handle: Optional[int] = None
        if conf is None and not settings:
            raise TypeError("expected configuration dict")
        merged: Dict[str, Any] = dict(conf or {})
        merged.update({name.replace("_", "."): value for name, value in settings.items()})
        on_delivery = [merged.pop(name, None) for name in ("on_delivery", "on.delivery")]
        self._on_delivery: Optional[OnDelivery] = on_delivery[1] or on_delivery[0]
        if self._on_delivery is not None and not callable(self._on_delivery):
            raise TypeError("on_delivery must be callable")
        merged.setdefault("send.wait", False)
        handle = _open(merged)
        self._handle = handle
        self._abandon = weakref.finalize(self, _abandon, handle)
        self._wake = Wake(handle)
        self._topics: Dict[str, int] = {}
        self._sent: Dict[int, _Sent] = {}
        self._ready: Deque[Tuple[OnDelivery, Optional[KafkaError], Message]] = deque()
        self._places: Deque[_Place] = deque()

    def produce(
        self,
        topic: str,
        value: Bytes = None,
        key: Bytes = None,
        partition: int = _abi.PARTITION_ANY,
        callback: Optional[OnDelivery] = None,
        on_delivery: Optional[OnDelivery] = None,
        timestamp: Optional[int] = None,
        headers: HeadersArgument = None,
    ) -> None:
        """Sends one record; its bytes are copied. Does not wait, unless ``send.wait`` is set to true.

        ``callback`` (or ``on_delivery``) is called with the error, or None, and the :class:`Message` when its fate is
        known. ``timestamp`` is in milliseconds since 1970; None or 0 is now.

        Raises BufferError when ``buffer.memory`` is full: poll() and try again; :class:`KafkaException` for a
        record that can never be sent; RuntimeError after close().
        """
        handle = self._open()
        topic_id = self._topics.get(topic)
        if topic_id is None:
            topic_id = self._register(handle, topic)
        key_bytes, value_bytes = _bytes(key, "key"), _bytes(value, "value")
        pairs = _headers(headers) if headers else None
        when = timestamp or _abi.TIMESTAMP_NOW
        callback = callback or on_delivery or self._on_delivery
        token = 0
        if callback is not None:
            if not callable(callback):
                raise TypeError("callback must be callable")
            sent = _Sent(callback, topic, key_bytes, value_bytes, pairs)
            token = id(sent)  # nobody else's as long as it is in _sent
            self._sent[token] = sent
        key_len, value_len = len(key_bytes or b""), len(value_bytes or b"")
        try:
            if pairs is None:
                status = lib.ottla_producer_send(
                    handle, topic_id, partition, key_bytes, key_len, value_bytes, value_len, when, token
                )
            else:
                names = [utf8(name, "a header's name") for name, _ in pairs]
                array = _header_array(names, pairs)  # points into both: they outlive the call
                record = _abi.Record(
                    ctypes.sizeof(_abi.Record), topic_id, partition, 0,
                    _address(key_bytes), key_len,
                    _address(value_bytes), value_len,
                    array, len(pairs), when, token,
                )  # fmt: skip
                status = lib.ottla_producer_send_record(handle, ctypes.byref(record), 0)
        except BaseException:
            # A wrong argument: the library was not called.
            self._sent.pop(token, None)
            raise
        if status:
            self._sent.pop(token, None)
            refuse(status)

    def poll(self, timeout: Optional[float] = -1) -> int:
        """Serves delivery callbacks; waits up to `timeout` seconds (None or below 0: without limit) for a report.

        Returns the number of records reported. An exception of a callback comes out of here; the reports behind
        it stay for the next call.
        """
        deadline = _deadline(timeout)
        while True:
            served = self._serve()
            if served or not self._wait(deadline, _WAIT):
                return served

    def flush(self, timeout: Optional[float] = -1) -> int:
        """Sends what lingers, and serves callbacks until no record is on its way or `timeout` seconds have
        passed (None or below 0: without limit). Returns how many records are left."""
        return self._flush(_deadline(timeout), None)

    def purge(self, in_queue: bool = True, in_flight: bool = True) -> None:
        """Fails records instead of waiting for them; the callbacks follow with ``PURGED_QUEUE`` or
        ``PURGED_IN_FLIGHT``."""
        flags = (_abi.PURGE_QUEUED if in_queue else 0) | (_abi.PURGE_IN_FLIGHT if in_flight else 0)
        if flags:
            check(lib.ottla_producer_purge(self._open(), flags))

    def wait_ready(self, timeout: Optional[float] = -1) -> None:
        """Waits until a broker has answered; raises :class:`KafkaException` at once when all refuse, and
        after `timeout` seconds."""
        deadline = _deadline(timeout)
        while True:
            left = 0.0 if deadline == 0 else max(0.0, deadline - time.monotonic())
            status = lib.ottla_producer_wait_ready(self._open(), int(min(left, 0.1) * 1000), None)
            if status == 0:
                return
            if status != _abi.ErrorCode.TIMED_OUT:
                refuse(status)
            if left <= 0.1:
                raise KafkaException(error_of(status, f"no broker has answered within {timeout} s"))

    def mock_cluster(self) -> MockCluster:
        """The embedded cluster of a producer with ``test.mock.num.brokers``. It ends with the producer."""
        cluster = ctypes.c_void_p()
        check(lib.ottla_producer_mock_cluster(self._open(), ctypes.byref(cluster), None))
        return MockCluster._borrow(cluster.value or 0, self)

    def close(self, timeout: Optional[float] = -1) -> bool:
        """Flushes for up to `timeout` seconds (None or below 0: without limit), fails what is left then, and
        serves all callbacks. The first exception of a callback is raised at the end. A second call changes nothing.

        Returns False if records had to be failed because the time was over.
        """
        failures: List[Exception] = []
        in_time = True
        handle = self._handle
        if handle is None:
            return True
        try:
            self._flush(_deadline(timeout), failures)
            status = lib.ottla_producer_close(handle, 0, None)
            in_time = status != _abi.ErrorCode.TIMED_OUT
            if in_time:
                check(status)
            while self._serve(failures):
                pass
        except ClosedError:
            pass  # nothing is left, or another thread was faster
        except KafkaException as failure:
            if failure.error == _abi.ErrorCode.FORKED:
                raise
            failures.append(failure)
        self._handle = None
        self._abandon.detach()
        lib.ottla_producer_free(handle)
        self._sent.clear()
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
        handle = self._handle
        if handle is None:
            return 0
        count = ctypes.c_size_t()
        check(lib.ottla_producer_outstanding(handle, ctypes.byref(count)))
        return count.value + len(self._ready)

    def __bool__(self) -> bool:
        return True  # else a producer with nothing to do would be false

    def _open(self) -> int:
        handle: Optional[int] = getattr(self, "_handle", None)
        if handle is None:
            raise ClosedError("Producer has been closed")
        return handle

    def _register(self, handle: int, topic: str) -> int:
        name = utf8(topic, "topic")
        number = ctypes.c_uint32()
        check(lib.ottla_producer_topic(handle, name, len(name), ctypes.byref(number), None))
        self._topics[topic] = number.value
        return number.value

    def _wait(self, deadline: float, longest: float) -> bool:
        """Waits for a report; False when the deadline has passed before."""
        left = 0.0 if deadline == 0 else deadline - time.monotonic()
        if left <= 0:
            return False
        self._wake.wait(self._open(), min(left, longest))
        return True

    def _flush(self, deadline: float, failures: Optional[List[Exception]]) -> int:
        while True:
            self._serve(failures)
            # Never waits inside the library: this asks it to hurry, and whether it is done.
            status = lib.ottla_producer_flush(self._open(), 0, None)
            if status == 0:
                self._serve(failures)
                if not len(self):
                    return 0
            elif status != _abi.ErrorCode.TIMED_OUT:
                refuse(status)
            if not self._wait(deadline, _FLUSH_WAIT):
                return len(self)

    def _serve(self, failures: Optional[List[Exception]] = None) -> int:
        """Calls the callbacks of all that is reported, without waiting; returns the number of records.
        Exceptions of callbacks go into `failures`, or up if there is no such list."""
        self._open()
        served, more = 0, True
        while True:
            try:
                on_delivery, error, message = self._ready.popleft()
            except IndexError:
                if not more:
                    return served
                taken, unwatched = self._take()
                served += unwatched
                more = taken > 0
                continue
            served += 1
            try:
                on_delivery(error, message)
            except Exception as failure:
                if failures is None:
                    raise
                failures.append(failure)

    def _take(self) -> Tuple[int, int]:
        """Moves reports from the library to _ready. Returns the number of records and how many of them
        have no callback."""
        handle = self._open()
        try:
            place = self._places.pop()
        except IndexError:
            place = _Place()
        check(place.fill(handle))
        unwatched = 0
        for run in place.runs[: place.run_count.value]:
            unwatched += self._take_run(handle, place, run)
        taken = place.token_count.value
        self._places.append(place)
        return taken, unwatched

    def _take_run(self, handle: int, place: _Place, run: _abi.Run) -> int:
        first, count = run.first, run.count
        error = None
        if run.status:
            text = _message_text(handle, run.message) if run.message else ""
            error = error_of(run.status, text)
        own = run.log_append_time_ms < 0
        latency, persistence = run.latency_us / 1e6, Persistence(run.persistence)
        partition, base = run.partition, run.base_offset
        unwatched = 0
        for index, token in enumerate(place.tokens[first : first + count]):
            sent = self._sent.pop(token, None) if token else None
            if sent is None:
                unwatched += 1
                continue
            when = place.times[first + index] if own else run.log_append_time_ms
            kind = TIMESTAMP_CREATE_TIME if own else TIMESTAMP_LOG_APPEND_TIME
            message = Message(
                sent.topic,
                partition,
                base + index if base >= 0 else -1,
                sent.key,
                sent.value,
                sent.headers,
                (kind, when) if when >= 0 else (TIMESTAMP_NOT_AVAILABLE, -1),
                latency,
                persistence,
                error,
            )
            self._ready.append((sent.on_delivery, error, message))
        return unwatched


def _open(settings: Mapping[str, Any]) -> int:
    config, producer = ctypes.c_void_p(), ctypes.c_void_p()
    check(lib.ottla_config_new(ctypes.byref(config)))
    try:
        for name, value in settings.items():
            if value is None:
                continue
            key = utf8(name, "the name of a setting")
            text = str(value).lower() if isinstance(value, bool) else str(value)
            data = text.encode()
            check(lib.ottla_config_set(config, key, len(key), data, len(data), None))
        check(lib.ottla_producer_new(config, None, ctypes.byref(producer), None))
    finally:
        lib.ottla_config_free(config)
    return producer.value or 0


def _abandon(handle: int) -> None:
    """The end of a producer that nobody closed: it was collected, or the interpreter exits."""
    count = ctypes.c_size_t()
    lib.ottla_producer_outstanding(handle, ctypes.byref(count))
    lib.ottla_producer_free(handle)
    if count.value:
        text = f"a producer was not closed: {count.value} records were not delivered or not reported"
        warnings.warn(text, RuntimeWarning, stacklevel=2)


def _deadline(timeout: Optional[float]) -> float:
    """On the monotonic clock; 0 has passed, without asking the clock."""
    if timeout is None or timeout < 0:
        return float("inf")
    return time.monotonic() + timeout if timeout else 0.0


def _bytes(value: Bytes, what: str) -> Optional[bytes]:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"{what} must be str, bytes-like or None, not {type(value).__name__}")


def _headers(headers: HeadersArgument) -> List[Tuple[str, Optional[bytes]]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or []
    return [(name, _bytes(value, "a header's value")) for name, value in pairs]


def _address(data: Optional[bytes]) -> ctypes.c_void_p:
    """Where the bytes are, as long as the caller keeps them; NULL for None."""
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)


def _header_array(
    names: List[bytes], pairs: List[Tuple[str, Optional[bytes]]]
) -> "ctypes.Array[_abi.Header]":
    array = (_abi.Header * len(pairs))()
    for place, name, (_, value) in zip(array, names, pairs):
        place.key, place.key_len = _address(name), len(name)
        place.value, place.value_len = _address(value), len(value or b"")
    return array


def _message_text(handle: int, number: int) -> str:
    size = ctypes.c_size_t()
    lib.ottla_producer_message(handle, number, None, 0, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value + 1)
    if lib.ottla_producer_message(handle, number, buffer, len(buffer), None):
        return last_message()
    return buffer.value.decode("utf-8", "replace")
