"""Flushes the log to the device, beside the thread that answers."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from tondo.core.errors import TondoError

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("tondo.scorer")

SYNC_S = 0.02
"""What log mode `written` may lose when the power fails."""


class Flusher:
    """Calls `sync` every `every_s` seconds in a thread of its own, until it is stopped.

    A failure is logged and the next call follows: what could not be flushed is still to be.
    """

    def __init__(self, sync: Callable[[], None], *, every_s: float = SYNC_S) -> None:
        self._sync = sync
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-flusher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after one last call, which has what was written until now."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        try:
            self._sync()
        except TondoError as error:
            _log.warning("%s", error)
        except Exception:  # noqa: BLE001 - the edge: a thread that ended would flush no more
            _log.exception("the log could not be flushed")
