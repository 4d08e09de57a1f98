"""What a consumer writes: answers, and the source's position after them, in one frame.

A frame counts whole or not at all, so the position never runs ahead of the answers nor behind
them. Nothing else remembers how far a consumer is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.errors import DataError
from tondo.ports.eventlog import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.eventlog import EventLog

Purpose = Literal["shadow", "replay", "stream", "batch"]
"""Why rows were scored that no caller waits for."""


class Before(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How the rows were answered when they were asked for."""

    scores: list[float | None]
    version: int
    model_version_id: str
    latency_us: int
    error: str | None


class Answered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The rows of one request that one version scored."""

    source_ids: list[str]
    """What the source calls the rows, such as the ids of the predictions that are repeated."""
    request: msgspec.Raw
    """A `LoggedRequest`, as the scoring path logs it."""
    before: Before | None = None


class Refused(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Rows that could not be scored, and why."""

    source_ids: list[str]
    code: str
    message: str
    before: Before | None = None
    event: bytes | None = None
    """What was refused, where nothing else keeps it: a dead letter."""


class AnswerFrame(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was read of the source up to a position, answered."""

    segment: str
    offset: int
    answered: list[Answered]
    refused: list[Refused]

    @property
    def rows(self) -> int:
        """How many rows were read, answered or not."""
        answered = sum(len(each.source_ids) for each in self.answered)
        return answered + sum(len(each.source_ids) for each in self.refused)

    @property
    def position(self) -> Position:
        """Where to go on reading the source."""
        return Position(self.segment, self.offset)


encode = msgspec.msgpack.Encoder().encode
"""AnswerFrame to the payload of a frame."""

_decode = msgspec.msgpack.Decoder(AnswerFrame).decode


def decode(payload: bytes) -> AnswerFrame:
    """Read a frame's payload; TD-SERVING-001 when it is none.

    >>> frame = AnswerFrame("000001-w.log", 120, [], [])
    >>> decode(encode(frame)) == frame
    True
    """
    try:
        return _decode(payload)
    except msgspec.DecodeError as error:
        raise DataError(
            "TD-SERVING-001",
            f"a frame of answers cannot be read: {error}",
            expected="answers as a consumer writes them",
            fix="Read the stream with the tondo that wrote it.",
        ) from None


def answers_of(purpose: Purpose, deployment: str, consumer: str) -> str:
    """Return the event-log stream in which a consumer keeps its answers.

    >>> answers_of("shadow", "late_arrival", "v4")
    'answers/shadow/late_arrival/v4'
    """
    return f"answers/{purpose}/{deployment}/{consumer}"


def read_answers(eventlog: EventLog, stream: str) -> Iterator[AnswerFrame]:
    """Yield the frames in the order written."""
    for _, payload in eventlog.read(stream):
        yield decode(payload)


def newest_answers(eventlog: EventLog, stream: str, *, most_rows: int) -> Iterator[AnswerFrame]:
    """Yield the frames of the newest segments that hold `most_rows` rows together, in order."""
    chosen, rows = [], 0
    for segment in reversed(eventlog.segments(stream)):
        found = [decode(payload) for _, payload in eventlog.read_segment(stream, segment.name)]
        chosen.append(segment.name)
        rows += sum(frame.rows for frame in found)
        if rows >= most_rows:
            break
    for name in reversed(chosen):
        for _, payload in eventlog.read_segment(stream, name):
            yield decode(payload)


def last_position(eventlog: EventLog, stream: str) -> Position | None:
    """Return how far the consumer that writes `stream` has read, None before its first frame."""
    for segment in reversed(eventlog.segments(stream)):
        last = None
        for _, payload in eventlog.read_segment(stream, segment.name):
            last = payload
        if last is not None:
            return decode(last).position
    return None
