"""Reads a configuration as confluent_kafka does: a dict, keywords, or both; what Python keeps and what the
library gets.

Texts of refusals are librdkafka's where programs match them, with ottla's own words behind.
"""

import ctypes
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, NoReturn, Optional, Tuple

from ottla._abi import ErrorCode
from ottla._library import check, last_message, lib
from ottla.error import KafkaError, KafkaException

#: Keyword names that have a _ of their own; in others it stands for a dot.
_UNDERSCORED = {"log_level", "on_delivery", "error_cb", "stats_cb", "throttle_cb", "oauth_cb"}

#: What librdkafka calls the setting in its messages.
_CANONICAL = {
    "linger.ms": "queue.buffering.max.ms",
    "delivery.timeout.ms": "message.timeout.ms",
    "acks": "request.required.acks",
    "compression.type": "compression.codec",
    "bootstrap.servers": "metadata.broker.list",
    "retries": "message.send.max.retries",
    "max.request.size": "message.max.bytes",
    "max.in.flight": "max.in.flight.requests.per.connection",
}

#: Settings of consumers. librdkafka takes them from a producer, too, and says that they do nothing.
_CONSUMERS = frozenset(
    "group.id group.instance.id group.protocol group.protocol.type group.remote.assignor session.timeout.ms"
    " partition.assignment.strategy heartbeat.interval.ms coordinator.query.interval.ms max.poll.interval.ms"
    " enable.auto.commit auto.commit.enable auto.commit.interval.ms enable.auto.offset.store auto.offset.reset"
    " queued.min.messages queued.max.messages.kbytes fetch.wait.max.ms fetch.queue.backoff.ms fetch.max.bytes"
    " fetch.message.max.bytes max.partition.fetch.bytes fetch.min.bytes fetch.error.backoff.ms isolation.level"
    " offset.store.method offset.store.path offset.store.sync.interval.ms enable.partition.eof check.crcs"
    " consume.callback.max.messages".split()
)


class Settings(NamedTuple):
    """A configuration, read."""

    #: What the library gets.
    native: Dict[str, str]
    on_delivery: Optional[Callable[..., object]]
    error_cb: Optional[Callable[[KafkaError], object]]
    throttle_cb: Optional[Callable[..., object]]
    logger: Any
    #: Callbacks of records that were delivered are left out.
    only_errors: bool
    #: Whether produce() waits when there is no room.
    wait: bool
    #: What was accepted but does nothing.
    warnings: List[str]


def read(conf: Any, keywords: Mapping[str, Any], defaults: Mapping[str, str]) -> Settings:
    """Sorts a configuration; keywords win over `conf`, both over `defaults`. Changes neither."""
    if not isinstance(conf, Mapping) and (conf is not None or not keywords):
        raise TypeError("expected configuration dict")
    given: Dict[str, Any] = dict(conf or {})
    for name, value in keywords.items():
        given[name if name in _UNDERSCORED else name.replace("_", ".")] = value
    topics = given.pop("default.topic.config", None)
    given.update(topics or {})
    callbacks = {
        name: _callback(given, name)
        for name in ("on_delivery", "error_cb", "throttle_cb", "stats_cb", "oauth_cb")
    }
    logger = given.pop("logger", None)
    texts = {str(name): str(value) for name, value in given.items() if value is not None}
    only_errors = _flag(texts, "delivery.report.only.error")
    wait = _flag(texts, "send.wait")
    texts.pop("log.queue", None)
    texts = {**defaults, **texts}
    unused = [name for name in texts if name in _CONSUMERS]
    for name in unused:
        del texts[name]
    return Settings(
        {**texts, "send.wait": "false", "log.queue": "true"},
        callbacks["on_delivery"],
        callbacks["error_cb"],
        callbacks["throttle_cb"],
        logger,
        only_errors,
        wait,
        [
            f"Configuration property {name} is a consumer property and will be ignored by this producer"
            for name in unused
        ],
    )


def _callback(given: Dict[str, Any], name: str) -> Any:
    if name not in given:
        return None
    value = given.pop(name)
    if callable(value):
        return value
    if name == "on_delivery":
        raise KafkaException(KafkaError(KafkaError._INVALID_ARG, "on_delivery requires a callable object"))
    kind = ValueError if name == "throttle_cb" else TypeError
    raise kind(f"expected {name} property as a callable function")


def _flag(texts: Dict[str, str], name: str) -> bool:
    text = texts.pop(name, "false").lower()
    if text not in ("true", "t", "1", "false", "f", "0"):
        raise _invalid(f'Expected bool value for "{name}": true or false')
    return text in ("true", "t", "1")


class Limits(NamedTuple):
    """What a producer runs with, as far as Python must know it."""

    #: Records that may be outstanding; 0: any number.
    max_messages: int
    #: Bytes that they may take.
    memory_bytes: int
    #: Bytes of the largest record.
    max_request: int
    #: Seconds that a call may wait for room.
    max_block: float
    #: The client's name in log lines.
    client_id: str


def open_producer(native: Mapping[str, str]) -> Tuple[int, Limits]:
    """Makes a producer of the library with these settings."""
    config, producer = ctypes.c_void_p(), ctypes.c_void_p()
    check(lib.ottla_config_new(ctypes.byref(config)))
    try:
        for name, value in native.items():
            key, data = name.encode(), value.encode()
            status = lib.ottla_config_set(config, key, len(key), data, len(data), None)
            if status:
                _refuse_setting(status, name, value)
        status = lib.ottla_producer_new(config, None, ctypes.byref(producer), None)
        if status:
            _refuse_producer(status)
        kbytes = _get(config, "queue.buffering.max.kbytes")
        limits = Limits(
            int(_get(config, "queue.buffering.max.messages")),
            int(kbytes) * 1024 if kbytes else int(_get(config, "buffer.memory")),
            int(_get(config, "max.request.size")),
            int(_get(config, "max.block.ms")) / 1000,
            _get(config, "client.id"),
        )
    finally:
        lib.ottla_config_free(config)
    return producer.value or 0, limits


def _get(config: ctypes.c_void_p, name: str) -> str:
    buffer, key = ctypes.create_string_buffer(256), name.encode()
    check(lib.ottla_config_get(config, key, len(key), buffer, len(buffer), None))
    return buffer.value.decode("utf-8", "replace")


def _invalid(text: str) -> KafkaException:
    return KafkaException(KafkaError(KafkaError._INVALID_ARG, text))


def _refuse_setting(status: int, name: str, value: str) -> NoReturn:
    own = last_message()
    if status == ErrorCode.UNSUPPORTED:
        raise KafkaException(KafkaError(KafkaError._NOT_IMPLEMENTED, own))
    canonical = _CANONICAL.get(name, name)
    if own.startswith("there is no setting"):
        hint = re.search(r"did you mean `([^`]*)`", own)
        also = f'; did you mean "{hint[1]}"?' if hint else ""
        raise _invalid(f'No such configuration property: "{name}"{also}')
    if "must be true or false" in own:
        raise _invalid(f'Expected bool value for "{name}": true or false')
    limits = re.search(r"number from (\S+) to (\S+), not", own)
    if limits and re.fullmatch(r"\s*[-+]?\d+(\.\d+)?\s*", value):
        allowed = f"{limits[1]}..{limits[2]}"
        raise _invalid(
            f'Configuration property "{canonical}" value {value} is outside allowed range {allowed}'
        )
    if "must be one of" in own:
        raise _invalid(f'Invalid value "{value}" for configuration property "{canonical}": {own}')
    raise _invalid(f'Invalid value for configuration property "{canonical}": {own}')


def _refuse_producer(status: int) -> NoReturn:
    own = last_message()
    if own.startswith("`enable.idempotence` is true, but `acks`"):
        own = "`acks` must be set to `all` when `enable.idempotence` is true"
    elif own.startswith("`message.timeout.ms` is"):
        own = f"`message.timeout.ms` must be greater than `linger.ms` ({own})"
    code = KafkaError._INVALID_ARG if status == ErrorCode.CONFIG else KafkaError._FAIL
    raise KafkaException(KafkaError(code, f"Failed to create producer: {own}"))
