"""A record as delivery callbacks and :meth:`ottla.MockCluster.records` give it. Never changes."""

from enum import IntEnum
from typing import List, NamedTuple, Optional, Tuple

from ottla import _abi
from ottla.error import KafkaError

Headers = List[Tuple[str, Optional[bytes]]]

TIMESTAMP_NOT_AVAILABLE = 0
TIMESTAMP_CREATE_TIME = 1
TIMESTAMP_LOG_APPEND_TIME = 2


class Persistence(IntEnum):
    """Whether a record is in the log: what may be sent again without making a duplicate."""

    NOT_PERSISTED = _abi.PERSISTENCE_NOT_PERSISTED
    POSSIBLY_PERSISTED = _abi.PERSISTENCE_POSSIBLY_PERSISTED
    PERSISTED = _abi.PERSISTENCE_PERSISTED


class _Fields(NamedTuple):
    topic: str
    partition: int
    offset: int
    key: Optional[bytes]
    value: Optional[bytes]
    headers: Optional[Headers]
    timestamp: Tuple[int, int]
    latency: Optional[float]
    persistence: Persistence
    error: Optional[KafkaError]


class Message:
    """A record and what became of it. Everything is read with methods, as in confluent_kafka."""

    __slots__ = ("_fields",)

    def __init__(
        self,
        topic: str,
        partition: int = -1,
        offset: int = -1,
        key: Optional[bytes] = None,
        value: Optional[bytes] = None,
        headers: Optional[Headers] = None,
        timestamp: Tuple[int, int] = (TIMESTAMP_NOT_AVAILABLE, -1),
        latency: Optional[float] = None,
        persistence: Persistence = Persistence.PERSISTED,
        error: Optional[KafkaError] = None,
    ) -> None:
        self._fields = _Fields(
            topic, partition, offset, key, value, headers, timestamp, latency, persistence, error
        )

    def topic(self) -> str:
        """Name of the topic."""
        return self._fields.topic

    def partition(self) -> int:
        """The partition, or -1 when none had been chosen."""
        return self._fields.partition

    def offset(self) -> int:
        """The offset, or -1 when it is unknown."""
        return self._fields.offset

    def key(self) -> Optional[bytes]:
        """The key; None is a null key."""
        return self._fields.key

    def value(self) -> Optional[bytes]:
        """The value; None is a null value."""
        return self._fields.value

    def headers(self) -> Optional[Headers]:
        """Names and values in order; None when there are none."""
        return self._fields.headers

    def timestamp(self) -> Tuple[int, int]:
        """A TIMESTAMP_... constant that says whose time it is, and milliseconds since 1970."""
        return self._fields.timestamp

    def latency(self) -> Optional[float]:
        """Seconds from the creation of the record's batch to its report."""
        return self._fields.latency

    def persistence(self) -> Persistence:
        """Whether the record is in the log."""
        return self._fields.persistence

    def error(self) -> Optional[KafkaError]:
        """Why it was not delivered."""
        return self._fields.error

    def __len__(self) -> int:
        return len(self._fields.value or b"")

    def __bool__(self) -> bool:
        return True  # else a message with an empty value would be false

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        at = f"{self.topic()}[{self.partition()}]@{self.offset()}"
        return f"Message({at}, key={self.key()!r}, value={self.value()!r}, error={self.error()!r})"
