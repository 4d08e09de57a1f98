"""Raw segments of logs that are old and no longer needed, removed one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.scoring.frames import decode_head
from tondo.stages.serving.answers import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.ports.eventlog import EventLog


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed of one stream of the event log."""

    stream: str
    segments: int
    """How many were removed, or would be."""
    bytes: int
    kept: int
    """Closed segments that are left: not old enough, or somebody needs them yet."""


class AnswerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment of answers holds."""

    newest_us: int | None
    """When the last of its answers was given, by the clock of who scored; None without any."""
    dead_letters: int


def prune(
    stream: str,
    *,
    eventlog: EventLog,
    may_go: Callable[[str], bool],
    holds_place: bool = False,
    dry_run: bool = False,
) -> Pruned:
    """Remove the closed segments of a stream that `may_go`, by name; or only tell of them.

    `holds_place`: the newest frame says how far its writer has read, so its segment stays.
    """
    closed = [each for each in eventlog.segments(stream) if each.closed]
    place = _newest_with_frames(eventlog, stream) if holds_place else None
    gone = [each for each in closed if each.name != place and may_go(each.name)]
    if not dry_run:
        for each in gone:
            eventlog.remove(stream, each.name)
    return Pruned(
        stream=stream,
        segments=len(gone),
        bytes=sum(each.bytes for each in gone),
        kept=len(closed) - len(gone),
    )


def answer_facts(eventlog: EventLog, stream: str, segment: str) -> AnswerFacts:
    """Read what a segment of answers holds."""
    newest_us, letters = None, 0
    for _, payload in eventlog.read_segment(stream, segment):
        frame = decode(payload)
        letters += len(frame.refused)
        for each in frame.answered:
            newest_us = max(newest_us or 0, decode_head(each.request).at_us)
    return AnswerFacts(newest_us=newest_us, dead_letters=letters)


def _newest_with_frames(eventlog: EventLog, stream: str) -> str | None:
    for segment in reversed(eventlog.segments(stream)):
        if any(True for _ in eventlog.read_segment(stream, segment.name)):
            return segment.name
    return None
