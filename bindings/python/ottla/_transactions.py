"""Transactions: the consumer group whose offsets go with one, and the calls of the library, which say what is to be done
about a failure. Knows no waiting: a call whose outcome is not there yet says so, and is made again."""

import ctypes
import struct
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

from ottla import _abi
from ottla._abi import ErrorCode
from ottla._library import CLOSED, ClosedError, check, lib, utf8
from ottla.error import KafkaError, KafkaException
from ottla.message import TopicPartition

#: How librdkafka's consumers begin the bytes in which they give their group away, and what follows.
_MAGIC = b"CGMDv2:"
#: What says that another producer has taken over; librdkafka has one code for both.
_FENCED = (ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH)

#: How many seconds a transaction that nobody waits for any more may take to end.
END_WAIT = 30.0

#: One call of the library: it waits so many milliseconds at most, and gives its error, or None.
Call = Callable[[int], Optional[KafkaError]]


class ConsumerGroupMetadata:
    """A consumer group, and the member of it that has read what a transaction is made from (KIP-447): the group refuses
    the offsets of a member that is no longer the reader. All as the consumer's own group metadata has it; a consumer
    that assigns itself partitions has neither generation nor member."""

    __slots__ = ("group_id", "generation_id", "member_id", "group_instance_id")

    def __init__(
        self,
        group_id: str,
        generation_id: int = -1,
        member_id: str = "",
        group_instance_id: Optional[str] = None,
    ) -> None:
        self.group_id = group_id
        self.generation_id = generation_id
        self.member_id = member_id
        self.group_instance_id = group_instance_id

    @classmethod
    def from_bytes(cls, data: bytes) -> "ConsumerGroupMetadata":
        """What ``consumer_group_metadata()`` of a confluent_kafka consumer gives; ValueError for other bytes."""
        refusal = ValueError("these bytes are not what consumer_group_metadata() gives")
        if not data.startswith(_MAGIC) or len(data) < len(_MAGIC) + 4:
            raise refusal
        (generation,) = struct.unpack_from("=i", data, len(_MAGIC))
        try:
            group, member, rest = data[len(_MAGIC) + 4 :].split(b"\0", 2)
            instance = None if rest[:1] == b"\1" else rest[1 : rest.index(b"\0", 1)].decode()
            return cls(group.decode(), generation, member.decode(), instance)
        except ValueError:
            raise refusal from None

    def __repr__(self) -> str:
        return (
            f"ConsumerGroupMetadata({self.group_id!r}, {self.generation_id}, {self.member_id!r},"
            f" {self.group_instance_id!r})"
        )

    def _open(self) -> ctypes.c_void_p:
        """The library's own, to be freed."""
        group, member = utf8(self.group_id, "group_id"), utf8(self.member_id, "member_id")
        instance = None if self.group_instance_id is None else utf8(self.group_instance_id, "group_instance_id")
        handle = ctypes.c_void_p()
        status = lib.ottla_group_metadata_new(
            group,
            len(group),
            self.generation_id,
            member,
            len(member),
            instance,
            len(instance or b""),
            ctypes.byref(handle),
            None,
        )
        check(status)
        return handle


GroupArgument = Union[ConsumerGroupMetadata, bytes]


def call(function: Any, *arguments: Any) -> Optional[KafkaError]:
    """A call that gives an error object: the error with what is to be done about it, or None."""
    place = ctypes.c_void_p()
    status = function(*arguments, ctypes.byref(place))
    if not status:
        return None
    try:
        flags = (
            bool(lib.ottla_error_is_fatal(place)),
            bool(lib.ottla_error_is_retriable(place)),
            bool(lib.ottla_error_is_abortable(place)),
        )
        text = (lib.ottla_error_message(place) or b"").decode("utf-8", "replace")
    finally:
        lib.ottla_error_free(place)
    if status in (ErrorCode.CLOSED, ErrorCode.HANDLE):
        raise ClosedError(CLOSED)
    if status == ErrorCode.TIMED_OUT and flags == (False, True, False):
        return timed_out(text)
    error = KafkaError.of_status(status, flags, text, text or None)
    if status in _FENCED and flags[0]:
        error.args = (KafkaError._FENCED, *error.args[1:])
    return error


def goes_on(error: KafkaError) -> bool:
    """Whether the same call is to be made again. A record that was not delivered in time makes the transaction fail with
    the same code, which is then for good."""
    return error == ErrorCode.TIMED_OUT and error.retriable() and not (error.txn_requires_abort() or error.fatal())


def timed_out(detail: str) -> KafkaError:
    """The time of a call was over; the same call goes on."""
    reason = "Timed out waiting for operation to finish, retry call to resume"
    return KafkaError.of_status(ErrorCode.TIMED_OUT, (False, True, False), detail, reason)


def not_configured() -> KafkaException:
    """What every call about transactions is without a transactional.id."""
    text = "The Transactional API requires transactional.id to be configured"
    return KafkaException(KafkaError(KafkaError._NOT_CONFIGURED, text))


def send_offsets(handle: int, positions: Sequence[TopicPartition], group: GroupArgument) -> Tuple[Call, Any]:
    """The call that sends offsets, and what must be freed when it is over. Positions without an offset are left out, as
    librdkafka does."""
    if isinstance(group, bytes):
        group = ConsumerGroupMetadata.from_bytes(group)
    if not isinstance(group, ConsumerGroupMetadata):
        raise TypeError(f"expected bytes or ConsumerGroupMetadata, {type(group).__name__} found")
    texts: List[Any] = []
    offsets = [_offset(position, texts) for position in _checked(positions) if position.offset >= 0]
    array = (_abi.GroupOffset * len(offsets))(*offsets)
    native = group._open()
    size = ctypes.sizeof(_abi.GroupOffset)

    def send(wait_ms: int, kept: List[Any] = texts) -> Optional[KafkaError]:
        function = lib.ottla_producer_send_offsets_to_transaction
        return call(function, handle, array, len(array), size, native, wait_ms)

    return send, native


def _checked(positions: Sequence[TopicPartition]) -> List[TopicPartition]:
    if not isinstance(positions, list):
        raise TypeError("requires list of TopicPartition")
    for position in positions:
        if not isinstance(position, TopicPartition) and not hasattr(position, "leader_epoch"):
            raise TypeError("expected TopicPartition")
    return positions


def _offset(position: TopicPartition, texts: List[Any]) -> _abi.GroupOffset:
    """Points to buffers that go into `texts`, and must live as long."""
    topic = utf8(position.topic, "topic")
    metadata = None if position.metadata is None else utf8(position.metadata, "metadata")
    epoch = -1 if position.leader_epoch is None else position.leader_epoch
    offset = _abi.GroupOffset(
        ctypes.sizeof(_abi.GroupOffset),
        position.partition,
        None,
        len(topic),
        position.offset,
        None,
        len(metadata or b""),
        epoch,
    )
    for name, text in (("topic", topic), ("metadata", metadata)):
        if text is not None:
            texts.append(ctypes.create_string_buffer(text))
            setattr(offset, name, ctypes.addressof(texts[-1]))
    return offset
