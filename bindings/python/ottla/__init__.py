"""A Kafka producer: the Python face of ottla.

:class:`Producer` sends records, :class:`MockCluster` is a Kafka cluster inside the process to test against. The
library itself, libottla, is looked for at the path in ``OTTLA_LIBRARY``, then beside this file, then where the
system looks for libraries.
"""

from ottla._abi import ErrorCode
from ottla._library import version
from ottla.error import KafkaError, KafkaException
from ottla.message import (
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TIMESTAMP_NOT_AVAILABLE,
    Message,
    Persistence,
)
from ottla.mock import MockCluster
from ottla.producer import Producer

__all__ = [
    "ErrorCode",
    "KafkaError",
    "KafkaException",
    "Message",
    "MockCluster",
    "Persistence",
    "Producer",
    "TIMESTAMP_CREATE_TIME",
    "TIMESTAMP_LOG_APPEND_TIME",
    "TIMESTAMP_NOT_AVAILABLE",
    "version",
]
