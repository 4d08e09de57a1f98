"""What a consumer of a stream did lately, from the newest of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.scoring.frames import decode_head
from tondo.stages.serving.answers import decode
from tondo.stages.serving.comparison import Latencies, latencies

if TYPE_CHECKING:
    from tondo.ports.eventlog import EventLog
    from tondo.scoring.frames import LoggedHead

WINDOW_US = 60_000_000
"""The minute before the newest answer: a consumer answers in bursts, second by second."""


class StreamFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A stream in the minute that ends with its newest answer, as far as one segment tells."""

    answers: int
    """Events that were scored, failed ones among them."""
    failed: int
    """Events for which the model gave no score."""
    dead_letters: int
    """Events that could not be scored, of the frames that hold these answers: they carry no
    instant of their own."""
    latency: Latencies | None
    """Of a request within the consumer's process; None without answers."""
    newest_us: int | None
    """When the newest answer was given; None without answers."""


def stream_figures(eventlog: EventLog, stream: str) -> StreamFigures:
    """Read the newest segment of a stream's answers that holds any, at most 64 MiB."""
    import numpy as np

    newest_us, letters = None, 0
    lately: list[LoggedHead] = []
    # From the newest frame back: most of a segment is older than a minute.
    for payload in reversed(_newest_frames(eventlog, stream)):
        frame = decode(payload)
        heads = [decode_head(each.request) for each in frame.answered]
        newest_us = newest_us or max((each.at_us for each in heads), default=None)
        fresh = [each for each in heads if each.at_us > (newest_us or 0) - WINDOW_US]
        if heads and not fresh:
            break
        letters += len(frame.refused)
        lately += fresh
    return StreamFigures(
        answers=len(lately),
        failed=sum(each.error is not None for each in lately),
        dead_letters=letters,
        latency=latencies(np.array([each.latency_us for each in lately], dtype=np.float64)),
        newest_us=newest_us,
    )


def _newest_frames(eventlog: EventLog, stream: str) -> list[bytes]:
    for segment in reversed(eventlog.segments(stream)):
        found = [payload for _, payload in eventlog.read_segment(stream, segment.name)]
        if found:
            return found
    return []
