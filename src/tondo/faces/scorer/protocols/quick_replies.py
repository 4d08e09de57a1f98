"""Replies to rows that one variant answered, cut out of what the protocol's handler encodes.

Comes in: ids, scores and their instant. Goes out: status and payload of each reply. Holds: a
payload is, byte for byte, the one that the handler writes for that answer.
"""

from __future__ import annotations

import re
import struct
from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import msgspec

from tondo.faces.scorer.protocols import rows, v2
from tondo.scoring.answer import Answer, Prediction, in_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.scoring.path import ScoringPath
    from tondo.scoring.quick import Scored
    from tondo.scoring.request import Ages
    from tondo.scoring.serving import Serving

_encode = msgspec.json.Encoder().encode
_pack_score = struct.Struct("<d").pack

Reply = tuple[int, bytes]

_OK = 200

_ID: Final = "\0id"
_SCORE: Final = 0.12345678901234568
_AT_US: Final = 981_173_106_789_012


class Replies(Protocol):
    """What writes the replies to rows that one variant answered."""

    is_distinct: bool
    """Whether nothing else in a reply reads like what is put in."""

    def of(
        self, scored: Scored, told: Sequence[bool] | None, ages: Sequence[Ages] = ()
    ) -> list[Reply]:
        """Return the reply to each row.

        `told` says of which the score goes back as bytes, `ages` are those of the features that
        were read for each.
        """


class QuickReplies:
    """Replies with one prediction, which differ in id, score, instant and decision only."""

    marked_ages: ClassVar[Ages] = {}
    """Of the answer that is cut."""

    def __init__(
        self,
        path: ScoringPath,
        serving: Serving,
        encode: Callable[[Answer], bytes],
        instant: Callable[[int], str],
        *,
        has_score: bool = True,
    ) -> None:
        self._threshold = serving.threshold
        self._instant = instant
        marks = [_encode(_ID)[1:-1].decode(), _encode(_SCORE).decode(), instant(_AT_US)]
        if self.marked_ages:
            marks.append(_encode(self.marked_ages).decode())
        texts = [
            encode(
                Answer(
                    [Prediction(_ID, _SCORE, decision, serving.variant.name)],
                    *(
                        path.deployment.name,
                        [serving.answered],
                        path.log_mode,
                        _AT_US,
                        self.marked_ages,
                    ),
                )
            ).decode()
            for decision in ((None, None) if self._threshold is None else (False, True))
        ]
        pattern = re.compile("|".join(map(re.escape, marks)))
        self._below, self._above = (
            pattern.sub("%b", text.replace("%", "%%")).encode() for text in texts
        )
        """Formats of the reply to a score below the threshold, and to another."""
        places = [marks.index(each) for each in pattern.findall(texts[0])]
        self._order = itemgetter(*places)
        """Puts id, score, instant and ages into the order of a format."""
        told = [int(has_score), 1, 1]
        self.is_distinct = [places.count(each) for each in range(1, len(marks))] == told[
            : len(marks) - 1
        ]
        """Whether nothing else in the text reads like score, instant or ages."""

    def of(
        self, scored: Scored, told: Sequence[bool] | None = None, ages: Sequence[Ages] = ()
    ) -> list[Reply]:
        """Return the reply to each row, all in JSON."""
        del told, ages
        order, threshold = self._order, self._threshold
        below, above = self._below, self._above
        at_us, ids, scores = scored
        at = self._instant(at_us).encode()
        least = -inf if threshold is None else threshold
        replies = []
        for id_, score in zip(ids, scores, strict=True):
            text = above if score >= least else below
            replies.append((_OK, text % order((id_.encode(), _encode(score), at))))
        return replies


class FreshReplies(QuickReplies):
    """Replies that tell ages of features too."""

    marked_ages: ClassVar[Ages] = {"\0ages": None}

    def of(
        self, scored: Scored, told: Sequence[bool] | None = None, ages: Sequence[Ages] = ()
    ) -> list[Reply]:
        """Return the reply to each row, all in JSON."""
        del told
        at_us, ids, scores = scored
        at = self._instant(at_us).encode()
        least = -inf if self._threshold is None else self._threshold
        replies = []
        for id_, score, known in zip(ids, scores, ages, strict=True):
            text = self._above if score >= least else self._below
            fresh = _encode(in_seconds(known))
            replies.append((_OK, text % self._order((id_.encode(), _encode(score), at, fresh))))
        return replies


class V2Replies:
    """Replies in JSON, or with the score as bytes behind it."""

    def __init__(self, path: ScoringPath, serving: Serving) -> None:
        kind = _kind(serving)
        self._json = kind(path, serving, _encode_v2, str)
        self._heads = kind(path, serving, _encode_v2_beginning, str, has_score=False)
        self.is_distinct = self._json.is_distinct and self._heads.is_distinct

    def of(
        self, scored: Scored, told: Sequence[bool] | None, ages: Sequence[Ages] = ()
    ) -> list[Reply]:
        """Return the reply to each row, as it was asked for."""
        if told is None:
            return self._json.of(scored, None, ages)
        in_bytes: list[Reply] = [
            (status, v2.with_bytes(head, _pack_score(score)))
            for (status, head), score in zip(
                self._heads.of(scored, None, ages), scored[2], strict=True
            )
        ]
        if all(told):
            return in_bytes
        plain = self._json.of(scored, None, ages)
        return [
            one if is_asked else other
            for one, other, is_asked in zip(in_bytes, plain, told, strict=True)
        ]


def replies_of(handler: Any, serving: Serving) -> Replies:
    """Return what writes a handler's replies to rows that a variant answered."""
    if handler.protocol == "rows":
        return _kind(serving)(handler.path, serving, rows.encode_answer, handler.instant)
    return V2Replies(handler.path, serving)


def _kind(serving: Serving) -> type[QuickReplies]:
    return QuickReplies if serving.fetch is None else FreshReplies


def _encode_v2(answer: Answer) -> bytes:
    return v2.encode_answer(answer, None)


def _encode_v2_beginning(answer: Answer) -> bytes:
    """Return the JSON before one score of eight bytes."""
    return v2.encode_beginning(answer, None, 8)
