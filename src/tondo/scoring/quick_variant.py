"""One variant of a compiled scoring path: from its rows to scores and frames.

Comes in: rows by position. Goes out: vectors, scores, and the frame of each row. Holds: any error
says that one row is to be explained by `ScoringPath`, which is the specification.
"""

from __future__ import annotations

from math import isfinite
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.language.rows import compile_packed
from tondo.scoring.dealing import taker
from tondo.scoring.frames import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.scoring.dealing import Values
    from tondo.scoring.path import ScoringPath
    from tondo.scoring.request import Ages, Row
    from tondo.scoring.serving import Serving

Instants = tuple[int, int]
"""When rows were answered, and how long it took: microseconds both."""


class QuickVariant:
    """One variant: its own columns of a row, its vector, and what its frames say of it."""

    reader: Serving | None = None
    """Who reads its features: itself, or a variant that reads the same. None: there are none."""

    def __init__(self, path: ScoringPath, serving: Serving) -> None:
        self.variant = serving.variant.name
        self.score = serving.score
        self._names = list(serving.inputs.types)
        self._own: Callable[[Values], Values] | None = None
        """Takes the variant's own values out of a row; None where they are all."""
        columns = list(path.inputs.types)
        if path.inputs.optional or self._names != columns:
            self._own = taker([columns.index(name) for name in self._names])
        self._pack = compile_packed(serving.model.contents.features, columns)
        self._head = (path.deployment.name, *serving.head, path.deployment.purpose)

    def part(self, places: Sequence[int], rows: Sequence[Values]) -> Part:
        """Return the variant's part of the work; an error where an own column was left out."""
        return Part(self, places, rows, None if self._own is None else self.own_rows(rows))

    def own_rows(self, rows: Sequence[Values]) -> list[Row]:
        """Return rows of the variant's own columns; an error where one was left out."""
        own, names = self._own, self._names
        owns = rows if own is None else list(map(own, rows))
        if own is not None and any(msgspec.UNSET in each for each in owns):
            raise ValueError(names)
        return [dict(zip(names, each)) for each in owns]  # noqa: B905 - taken for these names

    def vectors(self, rows: Sequence[Any]) -> list[bytes]:
        """Return the packed vectors of rows."""
        pack = self._pack
        return [pack(*row) for row in rows]

    def encode(self, row: tuple[str, float, bytes, Any], instants: Instants) -> bytes:
        """Return the frame of one logged row."""
        name, variant, model, version, version_id, purpose = self._head
        at_us, latency_us = instants
        return encode(
            (
                *(row[0], at_us, at_us, name, variant, model, version, version_id),
                *(purpose, latency_us, None, (row,)),
            )
        )


class FetchingVariant(QuickVariant):
    """A variant that reads features online: its rows are mappings, which the reader fills."""

    def __init__(self, path: ScoringPath, serving: Serving) -> None:
        super().__init__(path, serving)
        self.reader = path.reads_for(serving)
        self._vector, self._pack = serving.vector, serving.pack

    def part(self, places: Sequence[int], rows: Sequence[Values]) -> Part:
        """Return the variant's part of the work; an error where an own column was left out."""
        own = self.own_rows(rows)
        return Part(self, places, own, own)

    def vectors(self, rows: Sequence[Row]) -> list[bytes]:
        """Return the packed vectors of rows that were filled."""
        vector, pack = self._vector, self._pack
        return [pack(*vector(row)) for row in rows]


class Part:
    """One variant's rows of several requests, and what it finds out for them."""

    __slots__ = ("ages", "by", "inputs", "places", "rows", "scores", "spent_ns", "vectors")

    def __init__(
        self,
        by: QuickVariant,
        places: Sequence[int],
        rows: Sequence[Any],
        inputs: Sequence[Row] | None,
    ) -> None:
        self.by = by
        self.places = places
        """Of the rows among all."""
        self.rows = rows
        self.inputs = inputs
        """What is to be logged of each row; None: as it came."""
        self.ages: list[Ages] = []
        self.vectors: list[bytes] = []
        self.scores: list[float] = []
        self.spent_ns = 0

    def compute(self) -> None:
        """Compute and predict; any error where one row fails."""
        started_ns = perf_counter_ns()
        self.vectors = self.by.vectors(self.rows)
        self.scores = self.by.score(self.vectors)
        if not all(map(isfinite, self.scores)):
            raise ValueError(self.scores)
        self.spent_ns = perf_counter_ns() - started_ns

    def write(
        self, frames: list[bytes], ids: Sequence[str], logged: Sequence[Any], instants: Instants
    ) -> None:
        """Put the frame of each row at its place; `logged` are all rows as they came."""
        encode, inputs = self.by.encode, self.inputs
        for at, place in enumerate(self.places):
            own = logged[place] if inputs is None else inputs[at]
            frames[place] = encode((ids[place], self.scores[at], self.vectors[at], own), instants)
