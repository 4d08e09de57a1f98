"""Keeps the consumers' process running while there is something for it to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.workspace.consuming.runs import wished_consumers

if TYPE_CHECKING:
    from tondo.ports.launcher import Process
    from tondo.workspace.bootstrap import Parts

NICE = 19
"""The least share of the processor: what live traffic leaves."""


class Keeper:
    """Starts one low-priority process for all consumers of a workspace, and stops it."""

    def __init__(self, parts: Parts, *, nice: int = NICE) -> None:
        self._parts = parts
        self._nice = nice
        self.process: Process | None = None

    def look(self) -> None:
        """Start the process where a consumer is wished and none runs; call it now and then."""
        running = self.process is not None and self.process.running
        if not running and wished_consumers(self._parts):
            self.stop()
            arguments = ["--project", str(self._parts.root)]
            self.process = self._parts.consumer_launcher.start(arguments, nice=self._nice)

    def stop(self) -> None:
        """End the process in order."""
        if self.process is not None:
            self.process.stop()
            self.process = None
