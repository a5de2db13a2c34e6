"""What a fork does to producers: in the child their threads are gone, and so the child must not wait for
anything."""

import os
import weakref
from typing import TYPE_CHECKING

from ottla import _ticker

if TYPE_CHECKING:
    from ottla._core import Core

_CORES: "weakref.WeakSet[Core]" = weakref.WeakSet()


def watch(core: "Core") -> None:
    """Tells this producer when it finds itself in a child."""
    _CORES.add(core)


def _in_child() -> None:
    _ticker.after_fork()
    for core in list(_CORES):
        core._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
