"""The embedded Kafka cluster, for tests: its topics, its faults, and what it stored."""

import ctypes
from types import TracebackType
from typing import Any, List, Optional, Sequence, Tuple, Type

from ottla import _abi
from ottla import _library
from ottla._library import ClosedError, lib, utf8
from ottla.message import TIMESTAMP_CREATE_TIME, Headers, Message

_CLOSED = "the cluster is closed"


def check(status: int) -> None:
    """Raises unless the status is 0."""
    _library.check(status, closed=_CLOSED)


class MockCluster:
    """A Kafka cluster inside this process, on free ports of 127.0.0.1. Its brokers have the ids 1, 2, ....

    Topics are created when a producer asks for them, with 4 partitions, or by :meth:`create_topic`.
    Orders take effect at once. Any thread may use it; a forked child may not::

        with MockCluster(3) as cluster, Producer(bootstrap_servers=cluster.bootstrap_servers) as producer:
            ...
    """

    def __init__(self, brokers: int = 1) -> None:
        self._handle: Optional[int] = None
        cluster = ctypes.c_void_p()
        check(lib.ottla_mock_cluster_new(brokers, ctypes.byref(cluster), None))
        self._handle = cluster.value
        self._owner: Any = None

    @classmethod
    def _of(cls, producer: int, owner: object) -> "MockCluster":
        handle = ctypes.c_void_p()
        _library.check(lib.ottla_producer_mock_cluster(producer, ctypes.byref(handle), None))
        cluster = cls.__new__(cls)
        cluster._handle, cluster._owner = handle.value, owner
        return cluster

    @property
    def bootstrap_servers(self) -> str:
        """What to set ``bootstrap.servers`` to."""
        text: bytes = lib.ottla_mock_cluster_bootstrap_servers(self._open())
        if not text:
            raise ClosedError(_CLOSED)
        return text.decode()

    def create_topic(self, topic: str, partitions: int = 1, replication: int = 1) -> None:
        """Creates a topic with so many partitions, each on `replication` brokers."""
        check(lib.ottla_mock_cluster_create_topic(self._open(), *_name(topic), partitions, replication))

    def partition_count(self, topic: str) -> int:
        """The number of partitions of a topic."""
        count = ctypes.c_size_t()
        place = ctypes.byref(count)
        check(lib.ottla_mock_cluster_partition_count(self._open(), *_name(topic), place))
        return count.value

    def broker_down(self, broker: int) -> None:
        """Takes a broker down: its connections close, its partitions get other leaders."""
        check(lib.ottla_mock_cluster_broker_down(self._open(), broker))

    def broker_up(self, broker: int) -> None:
        """Brings a broker back."""
        check(lib.ottla_mock_cluster_broker_up(self._open(), broker))

    def set_leader(self, topic: str, partition: int, broker: Optional[int]) -> None:
        """Gives a partition to another leader; None: to none."""
        leader = -1 if broker is None else broker
        check(lib.ottla_mock_cluster_set_leader(self._open(), *_name(topic), partition, leader))

    def push_errors(self, api_key: int, errors: Sequence[int]) -> None:
        """Refuses the next requests of an API (Kafka's key: 0 is Produce, 3 Metadata) with these
        codes, one each; 0 lets one pass, ``ErrorCode.TRANSPORT`` closes the connection."""
        check(lib.ottla_mock_cluster_push_errors(self._open(), api_key, _codes(errors), len(errors)))

    def push_partition_errors(self, topic: str, partition: int, errors: Sequence[int]) -> None:
        """Answers the next batches of a partition with these codes, one each."""
        check(
            lib.ottla_mock_cluster_push_partition_errors(
                self._open(), *_name(topic), partition, _codes(errors), len(errors)
            )
        )

    def set_delay(self, seconds: float, broker: int = -1, api_key: int = -1) -> None:
        """Holds every answer of a broker (-1: of all) to an API (-1: to all) back for so long; 0
        ends that."""
        ms = int(seconds * 1000)
        check(lib.ottla_mock_cluster_set_delay(self._open(), broker, api_key, ms))

    def clear_faults(self) -> None:
        """Forgets every error and delay that was ordered."""
        check(lib.ottla_mock_cluster_clear_faults(self._open()))

    def request_count(self, api_key: int, broker: int = -1) -> int:
        """How many requests of an API have arrived at a broker (-1: at all)."""
        count = ctypes.c_uint64()
        place = ctypes.byref(count)
        check(lib.ottla_mock_cluster_request_count(self._open(), broker, api_key, place))
        return count.value

    def end_offset(self, topic: str, partition: int) -> int:
        """The offset that the next record of a partition will get."""
        offset = ctypes.c_int64()
        place = ctypes.byref(offset)
        check(lib.ottla_mock_cluster_end_offset(self._open(), *_name(topic), partition, place))
        return offset.value

    def records(self, topic: str, partition: int, *, committed: bool = False) -> List[Message]:
        """Every record of a partition, in order; with ``committed`` what a consumer with
        ``isolation.level=read_committed`` would get by now."""
        records = ctypes.c_void_p()
        place = ctypes.byref(records)
        level = _abi.ISOLATION_READ_COMMITTED if committed else _abi.ISOLATION_READ_UNCOMMITTED
        check(
            lib.ottla_mock_cluster_records_isolated(
                self._open(), *_name(topic), partition, level, place, None
            )
        )
        try:
            count = lib.ottla_mock_records_count(records)
            return [_read(records, index, topic, partition) for index in range(count)]
        finally:
            lib.ottla_mock_records_free(records)

    def committed_offset(self, group: str, topic: str, partition: int) -> Optional[int]:
        """The offset that a consumer group has committed for a partition, or None. Offsets sent to a
        transaction count once that is committed."""
        offset = ctypes.c_int64()
        place = ctypes.byref(offset)
        names = (*_name(group), *_name(topic))
        check(lib.ottla_mock_cluster_committed_offset(self._open(), *names, partition, place))
        return None if offset.value == -1 else offset.value

    def set_kafka_version(self, release: str) -> None:
        """Makes the brokers as old as those of a Kafka release: "2.8", say."""
        check(lib.ottla_mock_cluster_set_kafka_version(self._open(), *_name(release)))

    def close(self) -> None:
        """Ends the cluster. One that belongs to a producer ends with that. A second call changes
        nothing."""
        handle, self._handle = self._handle, None
        if handle is not None and self._owner is None:
            check(lib.ottla_mock_cluster_free(handle))

    def __enter__(self) -> "MockCluster":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None and self._owner is None:
            lib.ottla_mock_cluster_free(handle)  # refused in a forked child, which is right

    def _open(self) -> int:
        if self._handle is None:
            raise ClosedError(_CLOSED)
        return self._handle


def _name(topic: str) -> Tuple[bytes, int]:
    name = utf8(topic, "topic")
    return name, len(name)


def _codes(errors: Sequence[int]) -> "ctypes.Array[ctypes.c_int32]":
    return (ctypes.c_int32 * len(errors))(*errors)


def _read(records: ctypes.c_void_p, index: int, topic: str, partition: int) -> Message:
    record = _abi.Record(ctypes.sizeof(_abi.Record))
    offset = ctypes.c_int64()
    check(lib.ottla_mock_records_at(records, index, ctypes.byref(record), ctypes.byref(offset)))
    headers: Headers = [
        ((_copy(h.key, h.key_len) or b"").decode(), _copy(h.value, h.value_len))
        for h in record.headers[: record.header_count]
    ]
    return Message(
        topic,
        partition,
        offset.value,
        _copy(record.key, record.key_len),
        _copy(record.value, record.value_len),
        headers or None,
        None,
        (TIMESTAMP_CREATE_TIME, record.timestamp_ms),
    )


def _copy(address: Optional[int], size: int) -> Optional[bytes]:
    return None if address is None else ctypes.string_at(address, size)
