"""Pieces of memory with an address, as long as somebody holds them."""

import ctypes
from typing import Any


class Memory:
    """An address, a size in bytes, and what keeps both good."""

    def __init__(self, address: int, size: int, owner: object) -> None:
        self.address = address
        self.size = size
        self.owner = owner

    def view(self) -> memoryview:
        """The bytes."""
        return memoryview((ctypes.c_ubyte * self.size).from_address(self.address)).cast("B")


def of(data: Any, alignment: int = 1) -> Memory:
    """The memory of an object with the buffer protocol; copied where it is not in one piece or not
    aligned."""
    view = memoryview(data)
    if not view.c_contiguous:
        view = memoryview(view.tobytes())
    flat = view.cast("B") if view.nbytes else memoryview(b"\0").cast("B")
    if flat.readonly:
        # ctypes gives addresses of writable memory and of bytes.
        whole = flat.obj if isinstance(flat.obj, bytes) and len(flat.obj) == flat.nbytes else flat.tobytes()
        pointer = ctypes.c_char_p(whole)
        address = ctypes.c_void_p.from_buffer(pointer).value or 0
        owner: Any = (pointer, whole)
    else:
        owner = (ctypes.c_ubyte * flat.nbytes).from_buffer(flat)
        address = ctypes.addressof(owner)
    if address % alignment:
        moved = (ctypes.c_uint64 * (flat.nbytes // 8 + 1))()
        ctypes.memmove(moved, address, flat.nbytes)
        owner, address = moved, ctypes.addressof(moved)
    return Memory(address, view.nbytes, owner)
