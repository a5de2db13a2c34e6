"""Log lines, errors that no record stands for, throttling: taken from the library and given to who asked
for them.

Served by poll() and flush(), like reports. Lines go to the logger of the configuration, else to logging's
"ottla"."""

import ctypes
import logging
from typing import TYPE_CHECKING, Any, Dict

from ottla import _abi
from ottla._library import error_of, lib
from ottla._settings import Settings
from ottla.error import KafkaError, KafkaException
from ottla.message import ThrottleEvent
from ottla.metadata import broker_name

if TYPE_CHECKING:
    from ottla._core import Core

#: syslog's levels as those of logging.
_LEVELS: Dict[int, int] = {0: 50, 1: 50, 2: 50, 3: 40, 4: 30, 5: 20, 6: 20, 7: 10}
_FACILITIES = {_abi.EVENT_LOG: "LOG", _abi.EVENT_ERROR: "ERROR"}
_TEXT = 2048


class Events:
    """The callbacks for events of one producer."""

    def __init__(self, settings: Settings, client_id: str) -> None:
        self._error_cb = settings.error_cb
        self._throttle_cb = settings.throttle_cb
        self._logger: Any = settings.logger or logging.getLogger("ottla")
        self._name = f"{client_id}#producer"
        for warning in settings.warnings:
            self._log(_abi.LOG_WARNING, "CONFWARN", warning)

    def serve(self, core: "Core") -> None:
        """Calls the callbacks of all that wait. A fatal error is raised."""
        event = _abi.Event(ctypes.sizeof(_abi.Event))
        text = ctypes.create_string_buffer(_TEXT)
        while True:
            lib.ottla_producer_next_event(core._handle, ctypes.byref(event), text, _TEXT)
            if event.kind == _abi.EVENT_NONE:
                return
            line = text.value.decode("utf-8", "replace")
            if event.kind == _abi.EVENT_THROTTLE:
                if self._throttle_cb is not None:
                    name = broker_name(core._handle, event.broker)
                    self._throttle_cb(ThrottleEvent(name, event.broker, event.throttle_ms / 1000))
                continue
            self._log(event.level, _FACILITIES.get(event.kind, "LOG"), line)
            if event.kind == _abi.EVENT_ERROR:
                self._error(event.level, event.status, line)

    def _log(self, level: int, facility: str, line: str) -> None:
        self._logger.log(_LEVELS.get(level, 20), "%s [%s] %s", facility, self._name, line)

    def _error(self, level: int, status: int, line: str) -> None:
        error = error_of(status, line, line)
        if error.fatal():
            raise KafkaException(error)
        if self._error_cb is None:
            return
        # No broker at all is left: what librdkafka tells beside the error of the last one.
        if level == _abi.LOG_ERROR and error.code() in (KafkaError._TRANSPORT, KafkaError._RESOLVE):
            error = KafkaError(KafkaError._ALL_BROKERS_DOWN, line)
        self._error_cb(error)
