"""Logged requests as a source: what callers asked of a deployment, as it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring import frames
from tondo.stages.serving.answers import Before
from tondo.stages.serving.consumer import Asked, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.eventlog import EventLog, Position

LIVE = "live"


class LoggedRequests:
    """The live requests of a deployment, answered since an instant or asked as of a window.

    `answered_from_us` is by the scorer's clock; `start_us` and `end_us` bound the as-of time, the
    end left out. Requests of another purpose than `live` are passed over.
    """

    def __init__(
        self,
        deployment: str,
        *,
        eventlog: EventLog,
        answered_from_us: int = 0,
        start_us: int | None = None,
        end_us: int | None = None,
    ) -> None:
        self._stream = frames.stream_of(deployment)
        self._eventlog = eventlog
        self._answered_from_us = answered_from_us
        self._start_us = start_us
        self._end_us = end_us

    def take(self, after: Position | None) -> Iterator[Taken]:
        """Yield every request after a position; those that are not asked for have None."""
        for position, payload in self._eventlog.read(self._stream, after):
            wanted = self._wants(frames.decode_head(payload))
            yield Taken(position, _asked(frames.decode(payload)) if wanted else None)

    def _wants(self, head: frames.LoggedHead) -> bool:
        return (
            head.purpose == LIVE
            and head.at_us >= self._answered_from_us
            and (self._start_us is None or head.as_of_us >= self._start_us)
            and (self._end_us is None or head.as_of_us < self._end_us)
        )


def _asked(logged: frames.LoggedRequest) -> Asked:
    return Asked(
        source_ids=[row.prediction_id for row in logged.rows],
        rows=[row.inputs for row in logged.rows],
        as_of_us=logged.as_of_us,
        request_id=logged.request_id,
        before=Before(
            [row.score for row in logged.rows],
            logged.version,
            logged.model_version_id,
            logged.latency_us,
            logged.error,
        ),
    )
