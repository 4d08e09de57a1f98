"""The scoring path for requests of one row where several variants answer, compiled.

Comes in: rows by position, as a typed decoder made them. Goes out: for each variant that answered
its places among the rows, ids and scores; their frames are with the appender. Holds: who answers
is whom `plan.choose` names, answer and frame are those of `ScoringPath.score_requests`, which is
the specification; a row on which anything fails is left to it, with all that came along.
"""

from __future__ import annotations

from math import isfinite
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tondo.core.errors import TondoError
from tondo.language.rows import compile_packed
from tondo.scoring.dealing import chooser, taker
from tondo.scoring.frames import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.scoring.dealing import Values
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.quick import Scored
    from tondo.scoring.serving import Serving


class Share(NamedTuple):
    """What one variant answered of several requests."""

    variant: str
    places: list[int]
    """Of its rows among all."""
    scored: Scored
    aside_ns: int
    """What the others took: no time of its own."""


class DealtPath:
    """Scores rows of requests that each have one, each by the variant that its key is dealt to."""

    def __init__(self, path: ScoringPath) -> None:
        self._now_us = path.now_us
        self._make_ids = path.make_ids
        self._append = None if path.appender is None else path.appender.append_many
        self._arms = {name: _Arm(path, each) for name, each in path.servings.items()}
        self._choose = chooser(path.deployment, path.inputs.types)

    def score(
        self, rows: Sequence[Values], logged: Sequence[Any], started_ns: int
    ) -> list[Share] | None:
        """Answer for rows, each of another request; None when one of them fails.

        `rows` and `logged` as in `QuickPath.score`. TD-LOG-001 when the log fails.
        """
        at_us, choose = self._now_us(), self._choose
        ids = self._make_ids(at_us, len(rows))
        places: dict[str, list[int]] = {}
        for place, (id_, row) in enumerate(zip(ids, rows, strict=True)):
            places.setdefault(choose(id_, row), []).append(place)
        parts: list[_Part] = []
        for name, own in places.items():
            part = self._arms[name].run(own, [rows[place] for place in own])
            if part is None:
                return None
            parts.append(part)
        total_ns = sum(part.spent_ns for part in parts)
        if self._append is not None:
            frames: list[bytes] = [b""] * len(rows)
            for part in parts:
                latency_us = _spent_ns(started_ns, total_ns - part.spent_ns) // 1000
                part.write(frames, ids, logged, at_us, latency_us)
            self._append(frames)
        return [
            Share(
                part.arm.variant,
                part.places,
                (at_us, [ids[place] for place in part.places], part.scores),
                total_ns - part.spent_ns,
            )
            for part in parts
        ]


def _spent_ns(started_ns: int, aside_ns: int) -> int:
    return perf_counter_ns() - started_ns - aside_ns


class _Arm:
    """One variant: its own columns of a row, its vector, and what its frames say of it."""

    def __init__(self, path: ScoringPath, serving: Serving) -> None:
        columns = list(path.inputs.types)
        own = list(serving.inputs.types)
        self.variant = serving.variant.name
        self.own: Callable[[Values], Values] | None = None
        """Takes the variant's own values of a row; None where they are all."""
        if path.inputs.optional:
            self.own = taker([columns.index(name) for name in own])
        self._names = own
        self._score = serving.score
        self._pack = compile_packed(serving.model.contents.features, columns)
        self._head = (path.deployment.name, *serving.head, path.deployment.purpose)

    def run(self, places: list[int], rows: Sequence[Values]) -> _Part | None:
        """Compute and predict for rows; None when one of them fails."""
        started_ns, pack = perf_counter_ns(), self._pack
        owns = None if self.own is None else list(map(self.own, rows))
        if owns is not None and any(msgspec.UNSET in each for each in owns):
            return None
        try:
            vectors = [pack(*row) for row in rows]
            scores = self._score(vectors)
        except TondoError:
            return None
        if not all(map(isfinite, scores)):
            return None
        return _Part(self, places, owns, vectors, scores, perf_counter_ns() - started_ns)

    def encode(self, row: tuple[str, float, bytes, Any], at_us: int, latency_us: int) -> bytes:
        """Return the frame of one logged row."""
        name, variant, model, version, version_id, purpose = self._head
        return encode(
            (
                *(row[0], at_us, at_us, name, variant, model, version, version_id),
                *(purpose, latency_us, None, (row,)),
            )
        )

    def as_logged(self, own: Values) -> dict[str, Any]:
        """Return the variant's own values as they are to stand in the log."""
        return dict(zip(self._names, own, strict=True))


class _Part(NamedTuple):
    """What one variant found out for its rows."""

    arm: _Arm
    places: list[int]
    owns: list[Values] | None
    vectors: list[bytes]
    scores: list[float]
    spent_ns: int

    def write(
        self,
        frames: list[bytes],
        ids: Sequence[str],
        logged: Sequence[Any],
        at_us: int,
        latency_us: int,
    ) -> None:
        """Put the frame of each row at its place."""
        arm, owns = self.arm, self.owns
        for at, place in enumerate(self.places):
            inputs = logged[place] if owns is None else arm.as_logged(owns[at])
            row = (ids[place], self.scores[at], self.vectors[at], inputs)
            frames[place] = arm.encode(row, at_us, latency_us)


def dealt_path(path: ScoringPath) -> DealtPath | None:
    """Return the compiled path, or None where requests need what it does not do."""
    if path.asked is not None or path.log_mode == "sampled":
        return None
    if any(each.fetch is not None for each in path.servings.values()):
        return None
    if not any(each.weight > 0 for each in path.deployment.variants):
        return None
    return DealtPath(path)
