"""How callers say how long they wait: seconds, or None or a negative number for no limit. Never waits."""

import time
from typing import Optional

_NO_LIMIT = float("inf")
_MOST_MS = 1 << 62


def deadline_of(timeout: Optional[float]) -> float:
    """The time on the monotonic clock at which ``timeout`` is over: infinity without a limit; 0, which has passed, without
    asking the clock."""
    try:
        if timeout is None or timeout < 0:
            return _NO_LIMIT
        return time.monotonic() + timeout if timeout else 0.0
    except TypeError:
        raise _wrong(timeout) from None


def limit_ms_of(timeout: Optional[float]) -> int:
    """``timeout`` as the library takes it: milliseconds, -1 without a limit."""
    try:
        if timeout is None or timeout < 0:
            return -1
        return int(min(timeout * 1000, _MOST_MS))
    except TypeError:
        raise _wrong(timeout) from None


def _wrong(timeout: object) -> TypeError:
    return TypeError(f"timeout must be real number, not {type(timeout).__name__}")
