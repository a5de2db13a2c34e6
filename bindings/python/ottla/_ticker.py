"""The thread that empties stages which nobody else empties. One for the process, asleep unless records come
fast."""

import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from ottla._core import Core

#: Seconds for which a record stays in a stage at most, but for the time that the interpreter takes.
_INTERVAL = 0.001


class Ticker:
    """Calls the stages that are in use every millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._watched: List[Any] = []
        self._running = False

    def watch(self, core: "Core") -> None:
        """From now on until its _tick says no."""
        with self._lock:
            if not any(reference() is core for reference in self._watched):
                self._watched.append(weakref.ref(core))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="ottla-stage", daemon=True).start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._watched:
                time.sleep(_INTERVAL)
                for reference in list(self._watched):
                    if not _tick(reference):
                        self._forget(reference)

    def _forget(self, reference: Any) -> None:
        with self._lock:
            core = reference()
            # It may have become busy again just now: then it has not been watched anew.
            if core is None or not core._busy:
                self._watched.remove(reference)


def _tick(reference: Any) -> bool:
    core = reference()
    if core is None:
        return False
    try:
        return bool(core._tick())
    except Exception:
        # Whatever it is, the next call of the application meets it, too.
        return False


TICKER = Ticker()


def after_fork() -> None:
    """In a child: the thread is not there, and the lock may be held for ever."""
    TICKER.__init__()  # type: ignore[misc]
