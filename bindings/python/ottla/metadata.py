"""What a cluster consists of, as :meth:`ottla.Producer.list_topics` gives it. Classes as in
confluent_kafka.admin."""

import ctypes
from typing import Any, Dict, List, Optional, Tuple

from ottla._library import check, error_of, lib
from ottla.error import KafkaError


class BrokerMetadata:
    """A broker: its id, host and port."""

    def __init__(self) -> None:
        self.id = -1
        self.host: Optional[str] = None
        self.port = -1

    def __repr__(self) -> str:
        return f"BrokerMetadata({self.id}, {self.host}:{self.port})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.id}"


class PartitionMetadata:
    """A partition: its leader (-1: none), its replicas and those in sync, its error if it has one."""

    def __init__(self) -> None:
        self.id = -1
        self.leader = -1
        self.replicas: List[int] = []
        self.isrs: List[int] = []
        self.error: Optional[KafkaError] = None

    def __repr__(self) -> str:
        return f"PartitionMetadata({self._text()})"

    def __str__(self) -> str:
        return str(self.id)

    def _text(self) -> str:
        return f"{self.id}, {self.error}" if self.error else str(self.id)


class TopicMetadata:
    """A topic: its partitions by number, its error if it has one."""

    def __init__(self) -> None:
        self.topic: Optional[str] = None
        self.partitions: Dict[int, PartitionMetadata] = {}
        self.error: Optional[KafkaError] = None

    def __repr__(self) -> str:
        count = f"{len(self.partitions)} partitions"
        return (
            f"TopicMetadata({self.topic}, {count}, {self.error})"
            if self.error
            else f"TopicMetadata({self.topic}, {count})"
        )

    def __str__(self) -> str:
        return str(self.topic)


class ClusterMetadata:
    """A cluster: its brokers by id and its topics by name."""

    def __init__(self) -> None:
        self.cluster_id: Optional[str] = None
        self.controller_id = -1
        self.brokers: Dict[int, BrokerMetadata] = {}
        self.topics: Dict[str, TopicMetadata] = {}
        self.orig_broker_id = -1
        self.orig_broker_name: Optional[str] = None

    def __repr__(self) -> str:
        return f"ClusterMetadata({self.cluster_id})"

    def __str__(self) -> str:
        return str(self.cluster_id)


def read(handle: Optional[int]) -> ClusterMetadata:
    """Copies a snapshot of the library and frees it."""
    try:
        cluster = ClusterMetadata()
        cluster.cluster_id = _text(lib.ottla_metadata_cluster_id(handle)) or None
        cluster.controller_id = lib.ottla_metadata_controller(handle)
        for index in range(lib.ottla_metadata_broker_count(handle)):
            broker = _broker(handle, index)
            cluster.brokers[broker.id] = broker
        for index in range(lib.ottla_metadata_topic_count(handle)):
            topic = _topic(handle, index)
            cluster.topics[topic.topic or ""] = topic
        return cluster
    finally:
        lib.ottla_metadata_free(handle)


def partition_count(handle: int, topic: str) -> int:
    """How many partitions a producer knows of a topic; 0 when it does not know it."""
    snapshot = ctypes.c_void_p()
    check(lib.ottla_producer_metadata(handle, ctypes.byref(snapshot), None))
    try:
        name, count = ctypes.c_char_p(), ctypes.c_size_t()
        for index in range(lib.ottla_metadata_topic_count(snapshot)):
            places = (ctypes.byref(name), None, None, ctypes.byref(count))
            check(lib.ottla_metadata_topic(snapshot, index, *places))
            if (name.value or b"").decode() == topic:
                return count.value
        return 0
    finally:
        lib.ottla_metadata_free(snapshot)


def _broker(handle: Optional[int], index: int) -> BrokerMetadata:
    number, host, port = ctypes.c_int32(), ctypes.c_char_p(), ctypes.c_uint16()
    places = (ctypes.byref(number), ctypes.byref(host), ctypes.byref(port), None)
    check(lib.ottla_metadata_broker(handle, index, *places))
    broker = BrokerMetadata()
    broker.id, broker.host, broker.port = number.value, _text(host.value), port.value
    return broker


def _topic(handle: Optional[int], index: int) -> TopicMetadata:
    name, error, count = ctypes.c_char_p(), ctypes.c_int32(), ctypes.c_size_t()
    places = (ctypes.byref(name), None, ctypes.byref(error), ctypes.byref(count))
    check(lib.ottla_metadata_topic(handle, index, *places))
    topic = TopicMetadata()
    topic.topic, topic.error = _text(name.value), _error(error.value)
    topic.partitions = {number: _partition(handle, index, number) for number in range(count.value)}
    return topic


def _partition(handle: Optional[int], topic: int, number: int) -> PartitionMetadata:
    leader, error = ctypes.c_int32(), ctypes.c_int32()
    places = (ctypes.byref(leader), None, ctypes.byref(error))
    check(lib.ottla_metadata_partition(handle, topic, number, *places))
    partition = PartitionMetadata()
    partition.id, partition.leader, partition.error = number, leader.value, _error(error.value)
    partition.replicas, partition.isrs = _replicas(handle, topic, number)
    return partition


def _replicas(handle: Optional[int], topic: int, number: int) -> Tuple[List[int], List[int]]:
    lists: List[Any] = [ctypes.POINTER(ctypes.c_int32)(), ctypes.POINTER(ctypes.c_int32)()]
    counts = [ctypes.c_size_t(), ctypes.c_size_t()]
    places = [ctypes.byref(place) for pair in zip(lists, counts) for place in pair]
    check(lib.ottla_metadata_replicas(handle, topic, number, *places))
    replicas, in_sync = (items[: count.value] for items, count in zip(lists, counts))
    return list(replicas), list(in_sync)


def _error(status: int) -> Optional[KafkaError]:
    return error_of(status) if status else None


def _text(text: Optional[bytes]) -> str:
    return (text or b"").decode()


def broker_name(handle: Optional[int], broker: int) -> str:
    """What a producer knows a broker as: host:port/id."""
    snapshot = ctypes.c_void_p()
    if not lib.ottla_producer_metadata(handle, ctypes.byref(snapshot), None):
        found = read(snapshot.value).brokers.get(broker)
        if found is not None:
            return str(found)
    return f"{broker}"
