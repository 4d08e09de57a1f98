"""The consumer: takes what a source has, lets answerers score it, writes frames.

A step goes to the end of what is there now. Whoever follows a source that grows calls it again;
whoever kills the process anywhere finds, at the next step, everything answered once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from tondo.stages.serving.answers import AnswerFrame, Refused, encode, last_position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tondo.ports.eventlog import Appender, EventLog, Position
    from tondo.scoring.request import Row
    from tondo.stages.serving.answers import Answered, Before

FRAME_REQUESTS = 256
"""Requests of one frame: what is scored again after a kill, a few milliseconds of work."""
FRAME_BYTES = 1 << 20
"""Answers of one frame, so that a request of a thousand rows is no frame of a gigabyte."""

WRITER = "consumer"
"""There is one writer of a consumer's answers; its torn tails are cut off when it comes back."""


class Asked(NamedTuple):
    """One request as a source gives it: rows in the language's own values."""

    source_ids: list[str]
    rows: list[Row]
    as_of_us: int | None
    """None: as of when it is scored."""
    request_id: str | None
    before: Before | None = None
    event: bytes | None = None
    """As it lies in the source; kept with a refusal, so that nothing is lost."""


class Taken(NamedTuple):
    """What is read of a source at a time."""

    position: Position
    """Where to go on after it."""
    asked: Asked | Refused | None
    """None: nothing to score here."""


class Source(Protocol):
    """Where rows come from."""

    def take(self, after: Position | None) -> Iterator[Taken]:
        """Yield what comes after a position, to the end of what is there now."""
        ...


class Answerer(Protocol):
    """Scores requests."""

    def answer(self, asked: Asked) -> list[Answered | Refused]:
        """Return the answers of one request; a refusal is one of them."""
        ...


class Consumed(msgspec.Struct, frozen=True, kw_only=True):
    """What a consumer did."""

    requests: int = 0
    answered: int = 0
    """Rows with an answer, counted for each version that gave one."""
    refused: int = 0

    def __add__(self, other: Consumed) -> Consumed:
        """Return both together."""
        return Consumed(
            requests=self.requests + other.requests,
            answered=self.answered + other.answered,
            refused=self.refused + other.refused,
        )


class Consumer:
    """Reads one source and writes one stream of answers."""

    def __init__(
        self,
        source: Source,
        answerers: Sequence[Answerer],
        *,
        eventlog: EventLog,
        stream: str,
    ) -> None:
        self._source = source
        self._answerers = answerers
        self._eventlog = eventlog
        self._stream = stream
        self._appender: Appender | None = None
        self._position = last_position(eventlog, stream)

    def step(self, *, most: int | None = None) -> Consumed:
        """Answer what is there and not answered yet, at most `most` requests; say how much."""
        done, pending = Consumed(), _Pending()
        for taken in self._source.take(self._position):
            pending.position = taken.position
            if taken.asked is None:
                continue
            self._answer(taken.asked, pending)
            if pending.full:
                done += self._write(pending)
                pending = _Pending()
            if most is not None and done.requests + pending.requests >= most:
                break
        if pending.requests:
            return done + self._write(pending)
        # Nothing was scored since the last frame: whoever reads again from there loses nothing.
        self._position = pending.position or self._position
        return done

    def close(self) -> None:
        """Close the segment that is written."""
        if self._appender is not None:
            self._appender.close()
            self._appender = None

    def _answer(self, asked: Asked | Refused, pending: _Pending) -> None:
        found: list[Answered | Refused] = [asked] if isinstance(asked, Refused) else []
        if isinstance(asked, Asked):
            found = [each for answerer in self._answerers for each in answerer.answer(asked)]
        pending.requests += 1
        for each in found:
            if isinstance(each, Refused):
                pending.refused.append(each)
            else:
                pending.answered.append(each)
                pending.bytes += len(each.request)

    def _write(self, pending: _Pending) -> Consumed:
        position = pending.position
        assert position is not None
        frame = AnswerFrame(position.segment, position.offset, pending.answered, pending.refused)
        if self._appender is None:
            self._appender = self._eventlog.appender(self._stream, WRITER, durability="written")
        self._appender.append(encode(frame))
        self._position = position
        return Consumed(
            requests=pending.requests,
            answered=sum(len(each.source_ids) for each in pending.answered),
            refused=sum(len(each.source_ids) for each in pending.refused),
        )


class _Pending:
    """Answers that wait for their frame."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.requests = 0
        self.answered: list[Answered] = []
        self.refused: list[Refused] = []
        self.bytes = 0

    @property
    def full(self) -> bool:
        return self.requests >= FRAME_REQUESTS or self.bytes >= FRAME_BYTES
