"""The kinds of relations, each with how a batch is tested for it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tondo.language.functions.zones import zone_names
from tondo.stages.data.relations.time_parts import time_part
from tondo.stages.data.statistics import Value

if TYPE_CHECKING:
    import numpy as np

    from tondo.stages.data.relations.rows import Rows


class Tested(NamedTuple):
    """A relation on some rows."""

    spoken: np.ndarray
    """Of which rows it says something: those that have what it needs."""
    broken: np.ndarray
    """In which of them it does not hold."""


class Arithmetic(msgspec.Struct, frozen=True, kw_only=True, tag="arithmetic"):
    """`result = factor * first + second`, `result = first * second`, or `result = first`."""

    result: str
    first: str
    second: str | None = None
    """None of a copy."""
    factor: int = 1
    """0 of a product."""
    witnesses: int = 0
    """Accepted rows that it spoke of, and held in."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it speaks of; the first is blamed when nothing tells them apart."""
        return tuple(each for each in (self.result, self.first, self.second) if each is not None)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The columns that cannot be changed without breaking it."""
        return self.columns

    @property
    def formula(self) -> str:
        """The relation as people read it, and its name in a schema."""
        if self.second is None:
            return f"{self.result} = {self.first}"
        if self.factor == 0:
            return f"{self.result} = {self.first} * {self.second}"
        scale = "" if self.factor == 1 else f"{self.factor} * "
        return f"{self.result} = {scale}{self.first} + {self.second}"

    def test(self, rows: Rows) -> Tested:
        """Test each row that has all columns."""
        import numpy as np

        result, first = rows.values(self.result), rows.values(self.first)
        right = first
        if self.second is not None:
            right = combined(first, rows.values(self.second), self.factor)
        spoken = np.isfinite(result) & np.isfinite(right)
        return Tested(spoken, spoken & apart(result, right, first))


class TimePart(msgspec.Struct, frozen=True, kw_only=True, tag="time_part"):
    """A numeric column is a part of a time in some zone.

    What the accepted rows cannot tell apart is all kept; a batch must agree with one of each.
    """

    column: str
    time: str
    parts: tuple[str, ...]
    """Several where the rows did not tell them apart: in January the day, of month or year."""
    zones: tuple[str, ...]
    witnesses: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Both columns; what is not fixed comes first."""
        return (self.time, self.column)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The part; the time may move within it."""
        return (self.column,)

    @property
    def formula(self) -> str:
        """The relation as people read it."""
        return f"{self.column} = {' or '.join(self.parts)}({self.time})"

    def test(self, rows: Rows) -> Tested:
        """Test by what fits best; a zone that this installation lacks is passed over."""
        import numpy as np

        values = rows.values(self.column)
        spoken = ~(np.isnan(values) | np.isnan(rows.instants[self.time]))
        best = None
        for part, zone in itertools.product(self.parts, self.zones):
            if zone not in zone_names():
                continue
            wrong = spoken & (time_part(part, rows.local(self.time, zone)) != values)
            if best is None or np.count_nonzero(wrong) < np.count_nonzero(best):
                best = wrong
            if not best.any():
                break
        return Tested(spoken, np.zeros(len(values), dtype=bool) if best is None else best)


class Determined(msgspec.Struct, frozen=True, kw_only=True, tag="determined"):
    """Each text of one column always stands beside the same value of another."""

    by: str
    column: str
    pairs: tuple[tuple[Value, Value], ...]
    """Text to value; of other texts nothing is said."""
    witnesses: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """What is determined, and by what."""
        return (self.column, self.by)

    @property
    def fixed(self) -> tuple[str, ...]:
        """What is determined."""
        return (self.column,)

    @property
    def formula(self) -> str:
        """The relation as people read it."""
        return f"{self.by} determines {self.column}"

    def test(self, rows: Rows) -> Tested:
        """Test each row with a known text and a value."""
        import numpy as np

        by, column = rows.columns[self.by], rows.columns[self.column]
        known = dict(self.pairs)
        places = {label: float(at) for at, label in enumerate(column.labels)}
        expected = np.full(len(by.labels), np.nan)
        for at, label in enumerate(by.labels):
            value = known.get(label)
            if value is not None:
                # A text that the batch lacks is no row's, so its rows are broken.
                is_label = column.reads == "label"
                expected[at] = places.get(value, -1.0) if is_label else float(value)
        there = ~(np.isnan(by.values) | np.isnan(column.values))
        right = np.full(len(by.values), np.nan)
        right[there] = expected[by.values[there].astype(np.int64)]
        spoken = ~np.isnan(right)
        return Tested(spoken, spoken & (right != column.values))


class Missing(msgspec.Struct, frozen=True, kw_only=True, tag="missing"):
    """One column is missing only where another is."""

    column: str
    beside: str
    witnesses: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The column whose nulls are explained, and the one that explains them."""
        return (self.column, self.beside)

    @property
    def fixed(self) -> tuple[str, ...]:
        """Nothing: both may be filled."""
        return ()

    @property
    def formula(self) -> str:
        """The relation as people read it."""
        return f"{self.column} is missing only where {self.beside} is"

    def test(self, rows: Rows) -> Tested:
        """Test the rows in which the column is missing."""
        spoken = rows.missing(self.column)
        return Tested(spoken, spoken & ~rows.missing(self.beside))


Relation = Arithmetic | TimePart | Determined | Missing


def combined(first: np.ndarray, second: np.ndarray, factor: int) -> np.ndarray:
    """Return the right side of an arithmetic relation; factor 0 is the product."""
    right: np.ndarray = first * second if factor == 0 else first * factor + second
    return right


def apart(left: np.ndarray, right: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return where two sides differ by more than the roundings of an operation or two.

    `part` is a summand of the right side: beside a large one a small sum is less exact.
    """
    import numpy as np

    scale = np.maximum(np.maximum(np.abs(left), np.abs(right)), np.abs(part))
    different: np.ndarray = np.abs(left - right) > 1e-14 * scale
    return different
