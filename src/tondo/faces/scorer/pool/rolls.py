"""Closing log segments in every process of a scorer, whichever of them was asked.

Whoever is asked leaves the moment in the run folder. Each process looks there a few times a
second, closes its segments when the moment is newer than the one it saw last, and says which.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.faces.scorer.pool.members import Member, RunFolder
    from tondo.faces.scorer.pool.membership import Membership

WITHIN_S = 5.0
"""A process looks at least every half second, unless it hangs or loads the processors fully."""

_LOOK_S = 0.02

Segments = dict[str, list[str]]
"""Stream to the names of segments that were closed."""

_REMEMBERED = 8
"""Who asked a moment before another is told of its own roll too."""

_ASKED = "roll"


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """What one process has closed."""

    rolls: list[tuple[int, Segments]]
    """When each roll was asked for, the newest last."""


class Rolls:
    """The part of one process. Moments are nanoseconds since the machine was started."""

    def __init__(self, run: RunFolder, roll: Callable[[], Segments]) -> None:
        self._run = run
        self._roll = roll
        self._done: list[tuple[int, Segments]] = []

    def look(self) -> None:
        """Close our segments where somebody has asked for it since the last look."""
        asked = self._asked()
        if asked <= (self._done[-1][0] if self._done else 0):
            return
        self._done = [*self._done, (asked, self._roll())][-_REMEMBERED:]
        data = msgspec.json.encode(_Done(rolls=self._done))
        self._run.tell(_told_by(os.getpid()), data)

    def ask(self) -> int:
        """Ask all others; return the moment."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self._done = [*self._done, (now, {})][-_REMEMBERED:]
        self._run.tell(_ASKED, str(now).encode())
        return now

    def missing(self, moment: int) -> list[Member]:
        """Return the others that run and have not answered yet; ask again what was overwritten."""
        if self._asked() < moment:
            self._run.tell(_ASKED, str(moment).encode())
        others = (*self._run.members("worker"), *self._run.members("isolated"))
        return [
            each
            for each in others
            if each.ready and each.pid != os.getpid() and not _has(self._by(each), moment)
        ]

    def closed(self, moment: int) -> Segments:
        """Return what the others have closed since a moment."""
        found: Segments = {}
        for member in (*self._run.members("worker"), *self._run.members("isolated")):
            if member.pid == os.getpid():
                continue
            for asked, segments in self._by(member):
                if asked >= moment:
                    merge(found, segments)
        return found

    def _by(self, member: Member) -> list[tuple[int, Segments]]:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(self._run.told(_told_by(member.pid)), type=_Done).rolls
        return []

    def _asked(self) -> int:
        return int(self._run.told(_ASKED) or b"0")


async def roll_everywhere(membership: Membership) -> Segments:
    """Close our segments and everybody's; return stream to the names of those closed.

    TD-SCORER-016 when a process does not answer in time; what the others closed stays closed.
    """
    closed = membership.roll()
    if not membership.with_others:
        return closed
    rolls = membership.rolls()
    moment = rolls.ask()
    deadline = time.monotonic() + WITHIN_S
    while missing := rolls.missing(moment):
        if time.monotonic() > deadline:
            raise _silent(missing)
        await asyncio.sleep(_LOOK_S)
    merge(closed, rolls.closed(moment))
    return closed


def _silent(missing: list[Member]) -> PlatformError:
    told = ", ".join(f"{each.kind} {each.pid}" for each in missing)
    return PlatformError(
        "TD-SCORER-016",
        f"not every process of the scorer has closed its log segments: {told} did not answer",
        expected=f"all within {WITHIN_S:g} s",
        fix="Ask again: a process that hangs is killed after 30 s, which closes its segments too.",
    )


def merge(into: Segments, others: Segments) -> None:
    """Add segments to those of the same streams.

    >>> found = {"predictions/late": ["a"]}
    >>> merge(found, {"predictions/late": ["b"], "predictions/fraud": []})
    >>> found
    {'predictions/late': ['a', 'b'], 'predictions/fraud': []}
    """
    for stream, names in others.items():
        into[stream] = [*into.get(stream, []), *names]


def _has(rolls: list[tuple[int, Segments]], moment: int) -> bool:
    return any(asked >= moment for asked, _ in rolls)


def _told_by(pid: int) -> str:
    return f"rolled.{pid}"
