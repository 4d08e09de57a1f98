"""A source whose requests come at a chosen rate, by a schedule that no answer delays."""

from __future__ import annotations

from time import perf_counter, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.eventlog import Position
    from tondo.stages.serving.consumer import Source, Taken


class Paced:
    """Gives requests when they are due: the first at once, the others `1 / rate` s apart.

    Who is slow does not move the schedule; how late each request was sent is kept.
    """

    def __init__(self, source: Source, *, rate: float | None) -> None:
        """`rate` in requests a second; None: as fast as they are answered."""
        self._source = source
        self._rate = rate
        self.late_us: list[int] = []

    def take(self, after: Position | None) -> Iterator[Taken]:
        """Yield what the source gives, each request not before it is due."""
        started, sent = perf_counter(), 0
        for taken in self._source.take(after):
            if taken.asked is not None and self._rate is not None:
                due = started + sent / self._rate
                sent += 1
                sleep(max(0.0, due - perf_counter()))
                self.late_us.append(round((perf_counter() - due) * 1e6))
            yield taken
