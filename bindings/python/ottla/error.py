"""What can go wrong: the error with its number, and the exceptions that carry it. Names as in
confluent_kafka."""

from operator import index
from typing import Any, Dict, Optional, Tuple, Union

from ottla._abi import ErrorCode
from ottla._codes import NAMES, OF_STATUS, TEXTS, Codes
from ottla.message import Message


class KafkaError(Codes, Exception):
    """An error of a broker (code 1 and above) or of the client (code below 0).

    Delivery callbacks get it; calls that fail raise it inside a :class:`KafkaException`. Its codes are
    those of librdkafka and confluent_kafka, the class's attributes: ``KafkaError._QUEUE_FULL``,
    ``KafkaError.NOT_ENOUGH_REPLICAS``. It equals its code, and sorts and hashes as it. Unlike
    confluent_kafka's it is a real exception and can be raised.

    Beside the code there is :attr:`status`, ottla's own number, which is finer; an error equals that, too.
    """

    def __init__(
        self,
        error: int,
        reason: Optional[str] = None,
        fatal: bool = False,
        retriable: bool = False,
        txn_requires_abort: bool = False,
    ) -> None:
        super().__init__(index(error), reason, bool(fatal), bool(retriable), bool(txn_requires_abort))
        self._status: Optional[int] = None
        self._detail = ""

    @classmethod
    def of_status(
        cls, status: int, flags: Tuple[bool, bool, bool], detail: str, reason: Optional[str] = None
    ) -> "KafkaError":
        """The error that a status of the library is; flags are fatal, retriable, txn_requires_abort."""
        error = cls(OF_STATUS.get(status, status), reason, *flags)
        error._status, error._detail = status, detail
        return error

    def code(self) -> int:
        """The number; compare it with this class's attributes."""
        code: int = self.args[0]
        return code

    def name(self) -> str:
        """The name of the code: "_QUEUE_FULL", "NOT_ENOUGH_REPLICAS"."""
        return NAMES.get(self.code()) or f"ERR_{self.code()}?"

    def fatal(self) -> bool:
        """Whether the producer must be closed."""
        return bool(self.args[2])

    def retriable(self) -> bool:
        """Whether the same attempt may succeed later."""
        return bool(self.args[3])

    def txn_requires_abort(self) -> bool:
        """Whether the transaction must be aborted; the producer can then go on."""
        return bool(self.args[4])

    @property
    def status(self) -> ErrorCode:
        """ottla's own number; UNKNOWN_SERVER_ERROR for one that it does not know."""
        try:
            return ErrorCode(self.code() if self._status is None else self._status)
        except ValueError:
            return ErrorCode.UNKNOWN_SERVER_ERROR

    @property
    def detail(self) -> str:
        """What the library had to say about this very case; may be empty."""
        return self._detail

    def __repr__(self) -> str:
        kind = "FATAL," if self.fatal() else ""
        return f'KafkaError{{{kind}code={self.name()},val={self.code()},str="{self.str()}"}}'

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ErrorCode):
            return self.status == other
        if isinstance(other, (KafkaError, int)):
            return self.code() == _number(other)
        return NotImplemented

    def __lt__(self, other: "Union[KafkaError, int]") -> bool:
        return self.code() < _number(other)

    def __le__(self, other: "Union[KafkaError, int]") -> bool:
        return self.code() <= _number(other)

    def __gt__(self, other: "Union[KafkaError, int]") -> bool:
        return self.code() > _number(other)

    def __ge__(self, other: "Union[KafkaError, int]") -> bool:
        return self.code() >= _number(other)

    def __hash__(self) -> int:
        return hash(self.code())

    def __bool__(self) -> bool:
        return True  # also the error with code 0

    def __setstate__(self, state: Optional[Dict[str, Any]]) -> None:
        self.__dict__.update(state or {})

    # Last, because the name hides the type `str` in what follows.
    def str(self) -> "str":
        """What happened, for people."""
        return self.args[1] or TEXTS.get(self.code()) or f"Err-{self.code()}?"


def _number(other: Union[KafkaError, int]) -> int:
    return other.code() if isinstance(other, KafkaError) else index(other)


class KafkaException(Exception):
    """Raised by calls that fail; ``args[0]`` is the :class:`KafkaError`."""

    #: Of produce_batch(): how many records had been accepted before.
    accepted = 0

    @property
    def error(self) -> KafkaError:
        """Why."""
        error: KafkaError = self.args[0]
        return error


class SerializationError(Exception):
    """A key or a value could not be made into bytes."""


class ProduceError(KafkaException):
    """A record was not delivered: ``code``, ``name``, the cause in ``exception``, and the record in
    ``kafka_message`` if it is known."""

    def __init__(
        self,
        kafka_error: KafkaError,
        exception: Optional[BaseException] = None,
        kafka_message: Optional[Message] = None,
    ) -> None:
        super().__init__(kafka_error)
        self.exception = exception
        self.kafka_message = kafka_message

    @property
    def code(self) -> int:
        """The number of the error."""
        return self.error.code()

    @property
    def name(self) -> str:
        """The name of the error."""
        return self.error.name()


class KeySerializationError(ProduceError, SerializationError):
    """The key's serializer failed; its exception is in ``exception``."""

    def __init__(self, exception: Optional[BaseException] = None) -> None:
        super().__init__(KafkaError(KafkaError._KEY_SERIALIZATION, str(exception)), exception)


class ValueSerializationError(ProduceError, SerializationError):
    """The value's serializer failed; its exception is in ``exception``."""

    def __init__(self, exception: Optional[BaseException] = None) -> None:
        super().__init__(KafkaError(KafkaError._VALUE_SERIALIZATION, str(exception)), exception)
