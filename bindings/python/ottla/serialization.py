"""Making bytes of keys and values: what a serializer is, what it gets to know, and the three common ones.
Names as in confluent_kafka.serialization; what reads bytes back belongs to consumers and is not here."""

import struct
from typing import Any, List, Optional, Tuple

from ottla.error import SerializationError


class MessageField:
    """Which part of a record is being serialized."""

    NONE = "none"
    KEY = "key"
    VALUE = "value"


class SerializationContext:
    """What a serializer gets to know: the topic, the part of the record, the headers."""

    def __init__(self, topic: str, field: str, headers: Optional[List[Tuple[str, Any]]] = None) -> None:
        self.topic = topic
        self.field = field
        self.headers = headers


class Serializer:
    """Makes bytes of an object; any callable with these arguments will do."""

    def __call__(self, obj: Any, ctx: Optional[SerializationContext] = None) -> Optional[bytes]:
        """The bytes, or None for a null value."""
        raise NotImplementedError


class StringSerializer(Serializer):
    """Text in a codec, UTF-8 if not told otherwise."""

    def __init__(self, codec: str = "utf_8") -> None:
        self.codec = codec

    def __call__(self, obj: Any, ctx: Optional[SerializationContext] = None) -> Optional[bytes]:
        """The text's bytes; None stays None."""
        if obj is None:
            return None
        try:
            return str(obj).encode(self.codec)
        except UnicodeError as error:
            raise SerializationError(str(error)) from error


class _Packed(Serializer):
    _format: struct.Struct

    def __call__(self, obj: Any, ctx: Optional[SerializationContext] = None) -> Optional[bytes]:
        """The number's bytes; None stays None."""
        if obj is None:
            return None
        try:
            return self._format.pack(obj)
        except (struct.error, OverflowError) as error:
            raise SerializationError(str(error)) from error


class IntegerSerializer(_Packed):
    """A whole number as four bytes, the highest first."""

    _format = struct.Struct(">i")


class DoubleSerializer(_Packed):
    """A number as eight bytes, the highest first."""

    _format = struct.Struct(">d")


__all__ = [
    "DoubleSerializer",
    "IntegerSerializer",
    "MessageField",
    "SerializationContext",
    "SerializationError",
    "Serializer",
    "StringSerializer",
]
