"""What can go wrong: an error with its number, and the exception that carries it."""

from typing import Optional

from ottla._abi import ErrorCode


class KafkaException(Exception):
    """Raised by calls that fail; `args[0]` is the :class:`KafkaError`."""

    @property
    def error(self) -> "KafkaError":
        """Why."""
        error: KafkaError = self.args[0]
        return error


class KafkaError(Exception):
    """An error of a broker (code above 0) or of this library (code below 0, see :class:`ErrorCode`).

    Delivery callbacks get it; calls that fail raise it inside a :class:`KafkaException`. It equals its code.
    """

    def __init__(
        self,
        error: int,
        reason: Optional[str] = None,
        fatal: bool = False,
        retriable: bool = False,
        txn_requires_abort: bool = False,
    ) -> None:
        super().__init__(int(error), reason, fatal, retriable, txn_requires_abort)

    def code(self) -> int:
        """The number; compare it with the members of :class:`ErrorCode`."""
        code: int = self.args[0]
        return code

    def name(self) -> str:
        """The name of the code, "NOT_LEADER_OR_FOLLOWER" for 6; "UNKNOWN" when it has none."""
        try:
            return ErrorCode(self.code()).name
        except ValueError:
            return "UNKNOWN"

    def fatal(self) -> bool:
        """Whether the producer must be closed."""
        return bool(self.args[2])

    def retriable(self) -> bool:
        """Whether the same attempt may succeed later."""
        return bool(self.args[3])

    def txn_requires_abort(self) -> bool:
        """Whether the transaction must be aborted."""
        return bool(self.args[4])

    def __repr__(self) -> str:
        kind = "FATAL," if self.fatal() else ""
        return f'KafkaError{{{kind}code={self.name()},val={self.code()},str="{self.str()}"}}'

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, KafkaError):
            return self.code() == other.code()
        if isinstance(other, int):
            return self.code() == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.code())

    # Last, because the name hides the type `str` in what follows.
    def str(self) -> "str":
        """What happened, for people."""
        return self.args[1] or self.name()
