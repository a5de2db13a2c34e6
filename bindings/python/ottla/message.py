"""A record as callbacks, promises and :meth:`ottla.MockCluster.records` give it. Names as in
confluent_kafka.

A report fills only the slots that begin with an underscore and leaves the rest to the methods: most
programs look at one or two of them."""

from enum import IntEnum
from functools import total_ordering
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple, Type

from ottla import _abi

if TYPE_CHECKING:
    from ottla.error import KafkaError

#: Names and values of headers, in order.
Headers = List[Tuple[str, Optional[bytes]]]
#: What of a record is seldom given: partition, timestamp, headers.
Extras = Tuple[int, int, Optional[Headers]]

TIMESTAMP_NOT_AVAILABLE = 0
TIMESTAMP_CREATE_TIME = 1
TIMESTAMP_LOG_APPEND_TIME = 2

OFFSET_BEGINNING = -2
OFFSET_END = -1
OFFSET_STORED = -1000
OFFSET_INVALID = -1001


class Persistence(IntEnum):
    """Whether a record is in the log: what may be sent again without making a duplicate."""

    NOT_PERSISTED = _abi.PERSISTENCE_NOT_PERSISTED
    POSSIBLY_PERSISTED = _abi.PERSISTENCE_POSSIBLY_PERSISTED
    PERSISTED = _abi.PERSISTENCE_PERSISTED


class Outcome:
    """What all records of one report share; `first` is the offset of the first of them."""

    __slots__ = (
        "topic",
        "partition",
        "first",
        "error",
        "latency",
        "persistence",
        "times",
        "time_type",
        "epoch",
    )

    def __init__(self, topic: Optional[str], partition: int, first: int) -> None:
        self.topic = topic
        self.partition = partition
        self.first = first
        self.error: Optional["KafkaError"] = None
        self.latency: Optional[float] = None
        self.persistence = Persistence.PERSISTED
        #: The time of each record, or None if they are not known.
        self.times: Optional[Sequence[int]] = None
        self.time_type = TIMESTAMP_CREATE_TIME
        self.epoch: Optional[int] = None


class Message:
    """A record and what became of it. Everything is read with methods; what is not known is None.

    Delivery callbacks get it with the value, key and headers that were sent.
    """

    __slots__ = ("_value", "_key", "_extras", "_outcome", "_at", "__weakref__")

    _value: Any
    _key: Any
    _extras: Optional[Extras]
    _outcome: Outcome
    #: Which record of the report this is.
    _at: int

    def __init__(
        self,
        topic: Optional[str] = None,
        partition: Optional[int] = -1,
        offset: Optional[int] = -1,
        key: Any = None,
        value: Any = None,
        headers: Optional[Headers] = None,
        error: Optional["KafkaError"] = None,
        timestamp: Optional[Tuple[int, int]] = None,
        latency: Optional[float] = None,
        leader_epoch: Optional[int] = None,
        delivery_count: Optional[int] = None,
    ) -> None:
        outcome = Outcome(topic, _or_minus_one(partition), _or_minus_one(offset))
        outcome.error, outcome.latency, outcome.epoch = error, latency, leader_epoch
        outcome.time_type, when = timestamp or (TIMESTAMP_NOT_AVAILABLE, 0)
        outcome.times = (when,)
        self._value, self._key, self._outcome, self._at = value, key, outcome, 0
        self._extras = (-1, 0, headers) if headers is not None else None

    def topic(self) -> Optional[str]:
        """Name of the topic."""
        return self._outcome.topic

    def partition(self) -> Optional[int]:
        """The partition; None when none had been chosen."""
        partition = self._outcome.partition
        return partition if partition >= 0 else None

    def offset(self) -> Optional[int]:
        """The offset; None when it is not known."""
        first = self._outcome.first
        return first + self._at if first >= 0 else None

    def key(self) -> Any:
        """The key, in delivery reports as bytes; None is a null key."""
        return self._key

    def value(self) -> Any:
        """The value, in delivery reports as bytes; None is a null value."""
        return self._value

    def headers(self) -> Optional[Headers]:
        """Names and values in order; None when there are none."""
        return self._extras[2] if self._extras else None

    def error(self) -> Optional["KafkaError"]:
        """Why it was not delivered; None if it was."""
        return self._outcome.error

    def timestamp(self) -> Tuple[int, int]:
        """A TIMESTAMP_... constant that says whose time it is, and milliseconds since 1970."""
        outcome = self._outcome
        if outcome.times is None:
            return TIMESTAMP_NOT_AVAILABLE, 0
        when = outcome.times[self._at if len(outcome.times) > 1 else 0]
        return (outcome.time_type, when) if when >= 0 else (TIMESTAMP_NOT_AVAILABLE, 0)

    def latency(self) -> Optional[float]:
        """Seconds from the creation of the record's batch to its report."""
        return self._outcome.latency

    def leader_epoch(self) -> Optional[int]:
        """The epoch of the leader that stored it, where that is known."""
        return self._outcome.epoch

    def delivery_count(self) -> Optional[int]:
        """None: records of a producer are not counted."""
        return None

    def persistence(self) -> Persistence:
        """Whether the record is in the log."""
        return self._outcome.persistence

    def set_value(self, value: Any) -> None:
        """Replaces the value in this object."""
        self._value = value

    def set_key(self, key: Any) -> None:
        """Replaces the key in this object."""
        self._key = key

    def set_headers(self, headers: Optional[Headers]) -> None:
        """Replaces the headers in this object."""
        partition, when, _ = self._extras or (-1, 0, None)
        self._extras = (partition, when, headers)

    def set_topic(self, topic: str) -> None:
        """Replaces the topic in this object."""
        self._own().topic = topic

    def set_error(self, error: Optional["KafkaError"]) -> None:
        """Replaces the error in this object."""
        self._own().error = error

    def _own(self) -> Outcome:
        """An outcome that no other message shares."""
        old = self._outcome
        own = Outcome(old.topic, old.partition, old.first + self._at if old.first >= 0 else -1)
        own.error, own.latency, own.persistence, own.epoch = (
            old.error,
            old.latency,
            old.persistence,
            old.epoch,
        )
        own.time_type, when = self.timestamp()
        own.times = (when,)
        self._outcome, self._at = own, 0
        return own

    def _state(self) -> Tuple[Any, ...]:
        return (
            self.topic(), self.partition(), self.offset(), self.key(), self.value(), self.headers(), self.error(),
            self.timestamp(), self.latency(), self.leader_epoch(),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self._value or b"")

    def __bool__(self) -> bool:
        return True  # else a message with an empty value would be false

    def __eq__(self, other: object) -> bool:
        return self._state() == other._state() if isinstance(other, Message) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Tuple[Type["Message"], Tuple[Any, ...]]:
        return Message, self._state()

    def __repr__(self) -> str:
        at = f"{self.topic()}[{self.partition()}]@{self.offset()}"
        return f"Message({at}, key={self.key()!r}, value={self.value()!r}, error={self.error()!r})"

    def __class_getitem__(cls, types: object) -> Type["Message"]:
        """``Message[str, bytes]`` in annotations."""
        return cls


def _or_minus_one(number: Optional[int]) -> int:
    return -1 if number is None else number


@total_ordering
class TopicPartition:
    """A topic and a partition, with an offset where one is asked for."""

    __slots__ = ("topic", "partition", "offset", "metadata", "leader_epoch", "error")

    def __init__(
        self,
        topic: str,
        partition: int = -1,
        offset: int = OFFSET_INVALID,
        metadata: Optional[str] = None,
        leader_epoch: Optional[int] = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.metadata = metadata
        self.leader_epoch = leader_epoch
        self.error: Optional["KafkaError"] = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TopicPartition):
            return NotImplemented
        return (self.topic, self.partition) == (other.topic, other.partition)

    def __lt__(self, other: "TopicPartition") -> bool:
        return (self.topic, self.partition) < (other.topic, other.partition)

    def __hash__(self) -> int:
        return hash((self.topic, self.partition))

    def __repr__(self) -> str:
        return (
            f"TopicPartition{{topic={self.topic},partition={self.partition},offset={self.offset},"
            f"leader_epoch={self.leader_epoch},error={self.error}}}"
        )

    __str__ = __repr__

    def __getstate__(self) -> Dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


class ThrottleEvent:
    """A broker held this client back: its name and id, and for how many seconds."""

    def __init__(self, broker_name: str, broker_id: int, throttle_time: float) -> None:
        self.broker_name = broker_name
        self.broker_id = broker_id
        self.throttle_time = throttle_time

    def __str__(self) -> str:
        return f"{self.broker_name}/{self.broker_id} throttled for {int(self.throttle_time * 1000)} ms"
