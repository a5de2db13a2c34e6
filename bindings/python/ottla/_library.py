"""Finds and loads libottla, and makes exceptions of its statuses. Owns the one loaded library."""

import ctypes
import os
import sys
from pathlib import Path
from typing import List, NoReturn, Optional, Tuple

from ottla import _abi
from ottla._codes import TEXTS, Codes
from ottla.error import KafkaError, KafkaException

_NAMES = {"darwin": ["libottla.dylib"], "win32": ["ottla.dll"]}.get(sys.platform, ["libottla.so"])


#: What calls on a closed producer say.
CLOSED = "Producer has been closed"


class ClosedError(RuntimeError):
    """A closed producer or cluster was used."""


def _candidates() -> List[str]:
    chosen = os.environ.get("OTTLA_LIBRARY")
    if chosen:
        return [chosen]
    here = Path(__file__).resolve().parent
    bundled = [str(here / name) for name in _NAMES if (here / name).is_file()]
    return bundled + _NAMES


def _load() -> ctypes.CDLL:
    failures = []
    for candidate in _candidates():
        try:
            library = ctypes.CDLL(candidate)
        except OSError as error:
            failures.append(f"{candidate}: {error}")
            continue
        _check_version(library, candidate)
        _abi.declare(library)
        return library
    raise ImportError(
        "libottla was not found; set OTTLA_LIBRARY to its path or install it where the system looks"
        " for libraries. Tried: " + "; ".join(failures)
    )


def _check_version(library: ctypes.CDLL, path: str) -> None:
    """A library may be newer than this package, but only within its major version (its minor one before
    1.0)."""
    try:
        function = library.ottla_version_number
    except AttributeError:
        raise ImportError(f"{path} is no libottla") from None
    function.restype = ctypes.c_uint32
    number = function()
    loaded = (number >> 24, number >> 16 & 0xFF, number >> 8 & 0xFF)
    wanted = (_abi.VERSION_MAJOR, _abi.VERSION_MINOR, _abi.VERSION_PATCH)
    kept = 1 if wanted[0] > 0 else 2
    if loaded[:kept] != wanted[:kept] or loaded < wanted:
        version = ".".join(map(str, loaded))
        raise ImportError(f"{path} is libottla {version}; this package needs {_abi.VERSION}")


#: The library; its functions release the GIL while they run.
lib = _load()


def error_of(status: int, detail: str = "", reason: Optional[str] = None) -> KafkaError:
    """A status as an error with its flags. `detail` is what the library says of this case, `reason` the
    text that programs see instead of the code's."""
    flags = lib.ottla_error_flags(status)
    named = (_abi.ERROR_FLAG_FATAL, _abi.ERROR_FLAG_RETRIABLE, _abi.ERROR_FLAG_ABORTABLE)
    fatal, retriable, abortable = (bool(flags & flag) for flag in named)
    return KafkaError.of_status(status, (fatal, retriable, abortable), detail, reason)


def last_message() -> str:
    """The text of the error that the last call on this thread returned."""
    size = lib.ottla_last_error_message(None, 0) + 1
    buffer = ctypes.create_string_buffer(size)
    lib.ottla_last_error_message(buffer, size)
    return buffer.value.decode("utf-8", "replace")


def refuse(status: int, doing: str = "", closed: str = CLOSED) -> NoReturn:
    """Raises what a status that is not 0 means; `doing` says what failed, as in "Failed to get
    metadata"; `closed` is the text for what was closed."""
    detail = last_message()
    if status == _abi.ErrorCode.QUEUE_FULL:
        raise BufferError(TEXTS[Codes._QUEUE_FULL])
    if status in (_abi.ErrorCode.CLOSED, _abi.ErrorCode.HANDLE):
        raise ClosedError(closed)
    text = error_of(status).str()
    reason = f"{doing}: {text} ({detail})" if doing else detail or text
    raise KafkaException(error_of(status, detail, reason))


def check(status: int, doing: str = "", closed: str = CLOSED) -> None:
    """Raises unless the status is 0."""
    if status:
        refuse(status, doing, closed)


def utf8(text: object, what: str) -> bytes:
    """Text for the library."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be str, not {type(text).__name__}")
    return text.encode()


def version() -> str:
    """The version of this package."""
    return _abi.VERSION


def libversion() -> Tuple[str, int]:
    """The version of the library that is loaded, as text and as a number: major << 24 | minor << 16 |
    patch << 8."""
    text: Optional[bytes] = lib.ottla_version()
    return (text or b"").decode(), lib.ottla_version_number()
