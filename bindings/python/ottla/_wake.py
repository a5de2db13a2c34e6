"""Waiting for reports so that Ctrl-C is heard: on a descriptor of ours, or in short turns where there is
none."""

import ctypes
import os
import select

from ottla import _abi
from ottla._library import check, lib

#: Seconds that a call into the library may last where there is no descriptor to wait for.
_TURN = 0.05


class Wake:
    """A copy of the producer's event descriptor. Threads that wait hold it, so it is closed after the
    last one has left, even if the producer was closed meanwhile; the end of the producer makes it
    readable."""

    def __init__(self, handle: int) -> None:
        self._fd = -1
        fd = ctypes.c_int32()
        if hasattr(select, "poll"):
            status = lib.ottla_producer_event_fd(handle, ctypes.byref(fd), None)
            if status != _abi.ErrorCode.UNSUPPORTED:
                check(status)
                self._fd = os.dup(fd.value)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def wait(self, handle: int, timeout: float) -> None:
        """Returns when a report can be taken, after `timeout` seconds, or earlier."""
        if self._fd >= 0:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            poll.poll(timeout * 1000)
            return
        # With no room for a report the call only waits.
        count = ctypes.c_size_t()
        turn = int(min(timeout, _TURN) * 1000)
        lib.ottla_producer_poll(handle, None, 0, turn, ctypes.byref(count))
