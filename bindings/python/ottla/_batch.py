"""Many records in one call: columns of every kind that Python programs have them in, and confluent_kafka's
dicts."""

from array import array
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ottla import _arrow
from ottla._abi import ErrorCode
from ottla._columns import Strings
from ottla._library import error_of, last_message, lib, refuse
from ottla._records import as_headers, as_integer
from ottla._reports import Chunk, OnDelivery
from ottla._strings import Buffers, Items, Source
from ottla.error import KafkaError, KafkaException
from ottla.message import Extras, Headers

if TYPE_CHECKING:
    from ottla.producer import Producer

#: Records that one call of the library takes: others get their turn in between.
_TRANSFER = 8192


class Batch:
    """The columns of a batch, looked at once."""

    def __init__(
        self, values: Any, keys: Any, headers: Any, timestamps: Any, partitions: Any, partition: int
    ) -> None:
        sources = [None if column is None else _source(column) for column in (values, keys)]
        self.values, self.keys = sources
        given = [source for source in sources if source is not None]
        if not given:
            raise TypeError("produce_batch needs messages or values")
        self.count = len(given[0])
        self.partition = as_integer(partition)
        self.timestamps = _numbers(timestamps, "q")
        self.partitions = _numbers(partitions, "i")
        self.headers, self.same_headers = _headers(headers)
        for column in (*given, self.timestamps, self.partitions, self.headers):
            if column is not None and len(column) != self.count:
                raise ValueError(f"columns of different lengths: {self.count} and {len(column)}")

    def put(self, columns: Any, first: int, count: int) -> None:
        """Writes `count` records from `first` on into the struct of the library."""
        columns.struct.partition = self.partition
        for source, strings in ((self.values, columns.value), (self.keys, columns.key)):
            _put(source, strings, first, count)
        if self.timestamps is not None:
            columns.array("timestamps_ms", self.timestamps[first : first + count])
        if self.partitions is not None:
            columns.array("partitions", self.partitions[first : first + count])
        if self.same_headers:
            columns.headers([self.same_headers] * count)
        elif self.headers is not None:
            columns.headers(self.headers[first : first + count])

    def chunk(self, callback: OnDelivery, first: int, count: int) -> Chunk:
        """What is kept of these records for the callback."""
        nulls: List[None] = [None] * count
        values = nulls if self.values is None else self.values.kept(first, count)
        keys = nulls if self.keys is None else self.keys.kept(first, count)
        extras: Optional[Sequence[Extras]] = None
        if self.headers is not None or self.same_headers:
            headers = (
                [self.same_headers] * count if self.headers is None else self.headers[first : first + count]
            )
            extras = [(-1, 0, some) for some in headers]
        return Chunk(values, keys, [callback] * count, extras)


def send_columns(
    producer: "Producer", topic: str, batch: Batch, callback: Optional[OnDelivery], block: Optional[float]
) -> int:
    """Sends a batch; returns how many were accepted."""
    number = producer._numbers.get(topic)
    if number is None:
        producer._open()
        number = producer._register(topic)
    done = 0

    def accept() -> bool:
        nonlocal done
        while done < batch.count:
            count = min(batch.count - done, _TRANSFER)
            accepted = _transfer(producer, number, batch, callback, done, count)
            done += accepted
            if accepted < count:
                return False
        return True

    try:
        if not accept() and (producer._block if block is None else block):
            producer._wait_for_room(accept, block)
    except BufferError:
        pass
    except KafkaException as failure:
        failure.accepted += done
        raise
    return done


def _transfer(
    producer: "Producer", topic: int, batch: Batch, callback: Optional[OnDelivery], first: int, count: int
) -> int:
    """One call of the library; how many records it accepted, fewer than `count` only for want of room."""
    with producer._lock:
        handle = producer._open()
        # Behind what was staged before.
        if len(producer._stage) > 1 and not producer._spill():
            return 0
        columns, number, token = producer._columns, 0, 0
        if callback is not None:
            number = producer._next_chunk
            producer._next_chunk += 1
            token = number << 32
            producer._chunks[number] = batch.chunk(callback, first, count)
        columns.begin(topic, count, token, 1 if token else 0)
        columns.accepted.value = 0
        status = 0
        try:
            batch.put(columns, first, count)
            status = lib.ottla_producer_send_columns(
                handle, columns.reference, 0, columns.accepted_reference, None
            )
        finally:
            accepted: int = columns.accepted.value
            producer._direct += accepted
            producer._set_limit()
            if token and accepted < count:
                chunk = producer._chunks[number]
                chunk.sent = accepted
                producer._reported(chunk, number, 0)
            columns.value.clear()
            columns.key.clear()
        if status and status != ErrorCode.QUEUE_FULL:
            _refuse(status, accepted)
        return accepted


def _refuse(status: int, accepted: int) -> None:
    try:
        refuse(status, "Unable to produce message")
    except KafkaException as failure:
        failure.accepted = accepted
        raise


def _put(source: Optional[Source], strings: Strings, first: int, count: int) -> None:
    if source is None:
        strings.clear()
    else:
        source.put(strings, first, count)


def _source(column: Any) -> Source:
    """Where the byte strings of a column are."""
    if isinstance(column, (list, tuple)):
        if (
            isinstance(column, tuple)
            and len(column) == 2
            and not isinstance(column[1], (str, bytes, type(None)))
        ):
            return Buffers.of_offsets(*column)
        return Items(column, len(column) > _TRANSFER)
    arrow = _arrow.source(column)
    if arrow is not None:
        return arrow
    interface = getattr(column, "__array_interface__", None)
    if interface is not None:
        if interface["typestr"][1:] == "u1" and len(interface["shape"]) == 2:
            return Buffers.of_rows(column)
        return Items(column.tolist(), True)
    return Items(list(column), True)


def _numbers(column: Any, kind: str) -> Optional["array[int]"]:
    if column is None:
        return None
    try:
        view = memoryview(column)
        if view.format == kind or (kind == "q" and view.format == "l" and view.itemsize == 8):
            return array(kind, view.tobytes())
    except TypeError:
        pass
    numbers = column.tolist() if hasattr(column, "tolist") else list(column)
    return array(kind, [as_integer(number) for number in numbers])


def _headers(headers: Any) -> Tuple[Optional[List[Headers]], Headers]:
    """The headers of each record, or those of all."""
    if not headers:
        return None, []
    if isinstance(headers, Mapping):
        return None, as_headers(headers)
    first = headers[0]
    if isinstance(first, (tuple, list)) and len(first) == 2 and isinstance(first[0], str):
        return None, as_headers(headers)
    return [as_headers(some) if some else [] for some in headers], []


def send_messages(
    producer: "Producer",
    topic: str,
    messages: Iterable[Mapping[str, Any]],
    partition: int,
    callback: Optional[OnDelivery],
) -> int:
    """confluent_kafka's batch of dicts. What was not accepted gets its error as `_error`."""
    if not isinstance(messages, (list, tuple)):
        raise TypeError(f"messages must be a list, not {type(messages).__name__}")
    accepted = 0
    for message in messages:
        if not isinstance(message, dict):
            raise TypeError("messages must be a list of dicts")
        error = _send_message(producer, topic, message, partition, callback)
        if error is None:
            accepted += 1
        else:
            message["_error"] = error
    return accepted


def _send_message(
    producer: "Producer",
    topic: str,
    message: Dict[str, Any],
    partition: int,
    callback: Optional[OnDelivery],
) -> Optional[KafkaError]:
    get = message.get
    try:
        producer.produce(
            topic, get("value"), get("key"), get("partition", partition), get("callback", callback),
            None, get("timestamp", 0), get("headers"),
        )  # fmt: skip
        return None
    except BufferError:
        return error_of(ErrorCode.QUEUE_FULL, last_message())
    except KafkaException as failure:
        return failure.error
