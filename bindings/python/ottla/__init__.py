"""A Kafka producer: the Python face of ottla.

:class:`Producer` and what belongs to it have the names, arguments and behaviour of confluent_kafka's
producer side; a program changes its import and runs. :mod:`ottla.aio` has the producer for asyncio,
:class:`MockCluster` is a Kafka cluster inside the process to test against.

The library itself, libottla, is looked for at the path in ``OTTLA_LIBRARY``, then beside this file, then
where the system looks for libraries."""

from ottla._abi import ErrorCode
from ottla._library import libversion, version
from ottla._transactions import ConsumerGroupMetadata
from ottla.error import KafkaError, KafkaException
from ottla.hashes import consistent, fnv1a, murmur2
from ottla.message import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    OFFSET_STORED,
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Message,
    Persistence,
    ThrottleEvent,
    TopicPartition,
)
from ottla.mock import MockCluster
from ottla.producer import Producer
from ottla.serializing_producer import SerializingProducer

__version__ = version()

__all__ = [
    "ConsumerGroupMetadata",
    "ErrorCode",
    "KafkaError",
    "KafkaException",
    "Message",
    "MockCluster",
    "OFFSET_BEGINNING",
    "OFFSET_END",
    "OFFSET_INVALID",
    "OFFSET_STORED",
    "Persistence",
    "Producer",
    "SerializingProducer",
    "TIMESTAMP_CREATE_TIME",
    "TIMESTAMP_LOG_APPEND_TIME",
    "TIMESTAMP_NOT_AVAILABLE",
    "ThrottleEvent",
    "TopicPartition",
    "consistent",
    "fnv1a",
    "libversion",
    "murmur2",
    "version",
]
