"""Questions to the cluster that wait for an answer, so that Ctrl-C is heard: the library is called on a
thread of its own."""

import ctypes
import threading
from typing import Callable, Optional, Tuple

from ottla import metadata
from ottla._abi import ErrorCode
from ottla._library import error_of, last_message, lib
from ottla._timeout import limit_ms_of
from ottla.error import KafkaError, KafkaException
from ottla.metadata import ClusterMetadata


def call(function: Callable[[], int]) -> Tuple[int, str]:
    """Status and error text of a call that waits. Ctrl-C ends the wait, not the call, which then ends
    by itself."""
    done = threading.Event()
    answer = [(int(ErrorCode.INTERRUPTED), "")]

    def run() -> None:
        status = function()
        answer[0] = (status, last_message() if status else "")
        done.set()

    threading.Thread(target=run, name="ottla-call", daemon=True).start()
    done.wait()
    return answer[0]


def list_topics(handle: int, topic: Optional[str], timeout: float) -> ClusterMetadata:
    """All topics, or one."""
    if topic is not None and not isinstance(topic, str):
        raise TypeError(f"argument 1 must be str, not {type(topic).__name__}")
    return _survey(handle, topic, timeout, "Failed to get metadata")


def cluster_id(handle: int, timeout: float) -> str:
    """The cluster's id."""
    found = _survey(handle, "", timeout, "Failed to retrieve cluster id").cluster_id
    if found is None:
        text = "Failed to retrieve cluster id: the cluster has none"
        raise KafkaException(KafkaError(KafkaError._UNSUPPORTED_FEATURE, text))
    return found


def _survey(handle: int, topic: Optional[str], timeout: float, doing: str) -> ClusterMetadata:
    name = None if topic is None else topic.encode()
    snapshot = ctypes.c_void_p()
    limit_ms = limit_ms_of(timeout)
    place = ctypes.byref(snapshot)
    status, text = call(
        lambda: lib.ottla_producer_survey(handle, name, len(name or b""), limit_ms, place, None)
    )
    if status:
        error = error_of(status)
        # librdkafka says so when it has no connection, which is what mostly stands behind it.
        if status == ErrorCode.TIMED_OUT and limit_ms >= 0 and not _connected(handle):
            error = error_of(ErrorCode.TRANSPORT)
        raise KafkaException(error_of(int(error.status), text, f"{doing}: {error.str()} ({text})"))
    return metadata.read(snapshot.value)


def _connected(handle: int) -> bool:
    return not lib.ottla_producer_wait_ready(handle, 0, None)
