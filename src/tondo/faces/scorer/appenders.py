"""The appenders of a scorer's prediction log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.faces.scorer.batch import Batch, GatheringAppender
from tondo.scoring.frames import stream_of

if TYPE_CHECKING:
    from tondo.ports.eventlog import EventLog
    from tondo.scoring.plan import PlannedDeployment


class Appenders:
    """One appender a stream, kept across plans."""

    def __init__(self, log: EventLog | None, writer: str) -> None:
        self._log = log
        self._writer = writer
        self._open: dict[str, GatheringAppender] = {}
        self.batch = Batch()

    def for_deployment(self, deployment: PlannedDeployment) -> GatheringAppender | None:
        """Return the appender of a deployment's predictions, None where nothing is logged."""
        if self._log is None or deployment.log_mode == "off":
            return None
        stream = stream_of(deployment.name)
        if stream not in self._open:
            appender = self._log.appender(stream, self._writer, durability="written")
            self._open[stream] = GatheringAppender(appender, self.batch)
        return self._open[stream]

    def sync(self) -> None:
        """Flush to the device what was written since the last time; for any thread."""
        for appender in list(self._open.values()):
            appender.sync()

    def roll(self) -> dict[str, list[str]]:
        """Close every current segment; return stream to the names of those closed."""
        self.batch.flush()
        closed = {stream: appender.roll() for stream, appender in self._open.items()}
        return {stream: [] if name is None else [name] for stream, name in closed.items()}
