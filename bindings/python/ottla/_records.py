"""What a caller gives of a record, as the library takes it. Refuses wrong types with confluent_kafka's
texts."""

from operator import index
from typing import Any, List, Mapping, Optional, Tuple

from ottla.message import Headers


def as_bytes(value: Any) -> Optional[bytes]:
    """Bytes of a key or a value."""
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, str):
        return value.encode()
    try:
        return bytes(memoryview(value))
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not '{type(value).__name__}'") from None


def as_integer(value: Any) -> int:
    """A partition or a time."""
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer") from None


def as_headers(headers: Any) -> Headers:
    """Headers from a dict or a list of pairs."""
    if isinstance(headers, Mapping):
        return [_header(name, value) for name, value in headers.items()]
    if not isinstance(headers, (list, tuple)):
        raise TypeError(
            f"expected headers to be dict or list of (key, value) tuples, not {type(headers).__name__}"
        )
    pairs: List[Tuple[str, Optional[bytes]]] = []
    for pair in headers:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TypeError("Headers are expected to be a list of (key, value) tuples")
        pairs.append(_header(*pair))
    return pairs


def _header(name: Any, value: Any) -> Tuple[str, Optional[bytes]]:
    if isinstance(name, bytes):
        name = name.decode()
    if not isinstance(name, str):
        raise TypeError(f"expected header key to be a unicode string, not {type(name).__name__}")
    try:
        return name, as_bytes(value)
    except TypeError:
        kind = type(value).__name__
        raise TypeError(
            f"expected header value to be None, binary, or unicode string, not {kind}"
        ) from None
