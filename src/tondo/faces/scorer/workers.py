"""Further processes on the same port: the first worker starts the others and replaces them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ports.launcher import Launcher, Process

_log = logging.getLogger("tondo.scorer")

_READY_S = 60.0


class Workers:
    """The other workers. Each listens on a socket of its own that shares the port.

    They end with this process, also when it is killed: the launcher sees to that. Counters are
    per worker.
    """

    def __init__(self, launcher: Launcher, arguments: Sequence[str], number: int) -> None:
        self._launcher = launcher
        self._arguments = [*arguments, "--share-port"]
        self._processes: list[Process] = [self._start() for _ in range(number)]
        for process in self._processes:
            process.wait_ready(_READY_S)

    def check(self) -> None:
        """Start anew what has ended."""
        for place, process in enumerate(self._processes):
            if not process.running:
                _log.warning("worker %d ended; another is started", process.pid)
                process.stop()
                self._processes[place] = self._start()

    def stop(self) -> None:
        """End them in order."""
        for process in self._processes:
            process.stop()

    def _start(self) -> Process:
        return self._launcher.start(self._arguments)
