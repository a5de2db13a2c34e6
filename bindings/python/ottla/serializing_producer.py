"""A producer that makes bytes of keys and values itself. As in confluent_kafka."""

from typing import Any, Callable, Mapping, Optional

from ottla._core import HeadersArgument
from ottla._records import as_headers
from ottla._reports import OnDelivery
from ottla.error import KafkaError, KafkaException, KeySerializationError, ValueSerializationError
from ottla.producer import Producer
from ottla.serialization import MessageField, SerializationContext

Serialize = Callable[[Any, SerializationContext], Optional[bytes]]


class SerializingProducer(Producer):
    """A :class:`ottla.Producer` whose configuration may have ``key.serializer`` and
    ``value.serializer``: callables that take an object and a
    :class:`ottla.serialization.SerializationContext` and return bytes."""

    def __init__(self, conf: Optional[Mapping[str, Any]] = None, /, **settings: Any) -> None:
        merged = dict(conf or {})
        merged.update(
            {name.replace("_serializer", ".serializer"): value for name, value in settings.items()}
        )
        serializers = [_serializer(merged, name) for name in ("key.serializer", "value.serializer")]
        self._key_serializer, self._value_serializer = serializers
        super().__init__(merged)

    def produce(  # type: ignore[override]
        self,
        topic: str,
        key: Any = None,
        value: Any = None,
        partition: int = -1,
        on_delivery: Optional[OnDelivery] = None,
        timestamp: int = 0,
        headers: HeadersArgument = None,
        *,
        block: Optional[float] = None,
    ) -> None:
        """As :meth:`ottla.Producer.produce`, after serializing; note that the key comes before the value.

        Raises also :class:`ottla.error.KeySerializationError` and
        :class:`ottla.error.ValueSerializationError`."""
        context = SerializationContext(topic, MessageField.KEY, as_headers(headers) if headers else None)
        if self._key_serializer is not None:
            try:
                key = self._key_serializer(key, context)
            except Exception as error:
                raise KeySerializationError(error) from error
        context.field = MessageField.VALUE
        if self._value_serializer is not None:
            try:
                value = self._value_serializer(value, context)
            except Exception as error:
                raise ValueSerializationError(error) from error
        # What serializers put into the headers goes along.
        super().produce(
            topic, value, key, partition, None, on_delivery, timestamp, context.headers, block=block
        )


def _serializer(settings: Any, name: str) -> Optional[Serialize]:
    serializer: Optional[Serialize] = settings.pop(name, None)
    if serializer is not None and not callable(serializer):
        text = f"{name} must be callable"
        raise KafkaException(KafkaError(KafkaError._INVALID_ARG, text))
    return serializer
