"""Statistics that merge: of streams, and of parts that are never together in one place.

Counts, least, greatest and lengths are exact, mean and standard deviation exact but for rounding.
Quantiles, histograms, distinct and most frequent values come from sketches, each with its bounds.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError
from tondo.stages.data.sketch_columns import ColumnSketch, joined, sketch_column
from tondo.stages.data.sketch_figures import ColumnBounds, figures
from tondo.stages.data.statistics import Statistics, types_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.ports.sketches import Sketches

_FORMAT = "tondo-sketch-1"


class ApproximateStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics, and how far each figure of them may be off."""

    statistics: Statistics
    """May be validated against a schema, and measured against other statistics, as exact ones."""
    bounds: dict[str, ColumnBounds]
    """By column."""

    def __repr__(self) -> str:
        lines = [
            f"{name}: about, {', '.join(bounds.approximate)}"
            for name, bounds in self.bounds.items()
            if bounds.approximate
        ]
        return "\n".join([repr(self.statistics), *lines])


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    columns: dict[str, ColumnSketch]


class StatisticsSketch:
    """What is kept of rows that have passed; an immutable value of some 20 KB a column."""

    def __init__(self, columns: dict[str, ColumnSketch], *, sketches: Sketches) -> None:
        self._columns = columns
        self._sketches = sketches

    @property
    def rows(self) -> int:
        """Rows that have passed."""
        return max((column.rows for column in self._columns.values()), default=0)

    @property
    def columns(self) -> dict[str, str]:
        """Column types by name."""
        return {name: column.type for name, column in self._columns.items()}

    def __repr__(self) -> str:
        size = len(self.to_bytes())
        return f"StatisticsSketch of {self.rows:,} rows, {len(self._columns)} columns, {size:,} B"

    def merge(self, other: StatisticsSketch) -> StatisticsSketch:
        """Return the sketch of the rows of both (TD-SKETCH-002 when their columns differ)."""
        if self.columns != other.columns:
            mine, theirs = self.columns, other.columns
            names = sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name))
            raise DataError(
                "TD-SKETCH-002",
                f"the sketches differ in {', '.join(names[:5])}",
                expected="the same columns with the same types on both sides",
                fix="Sketch both from the same columns; cast those that differ before.",
                columns=names,
            )
        found = {
            name: joined(column, other._columns[name], sketches=self._sketches)
            for name, column in self._columns.items()
        }
        return StatisticsSketch(found, sketches=self._sketches)

    def statistics(self) -> ApproximateStatistics:
        """Return the figures of the rows so far, and their bounds."""
        found = {name: figures(each, self._sketches) for name, each in self._columns.items()}
        return ApproximateStatistics(
            statistics=Statistics(
                rows=self.rows, columns={name: each[0] for name, each in found.items()}
            ),
            bounds={name: each[1] for name, each in found.items()},
        )

    def to_bytes(self) -> bytes:
        """Return what `read_sketch` reads, in this process or another."""
        return msgspec.msgpack.encode(_Kept(format=_FORMAT, columns=self._columns))


def sketch(table: Any, *, sketches: Sketches) -> StatisticsSketch:
    """Return the sketch of a conformed Arrow table."""
    found = {
        name: sketch_column(table.column(name), type_, sketches=sketches)
        for name, type_ in types_of(table).items()
    }
    return StatisticsSketch(found, sketches=sketches)


def merge(parts: Iterable[StatisticsSketch]) -> StatisticsSketch:
    """Return the sketch of the rows of all parts, at least one (TD-SKETCH-002)."""
    return reduce(StatisticsSketch.merge, parts)


def read_sketch(data: bytes, *, sketches: Sketches) -> StatisticsSketch:
    """Return a sketch from its bytes (TD-SKETCH-001 when they hold none)."""
    try:
        kept = msgspec.msgpack.decode(data, type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _no_sketch(str(error)) from None
    if kept.format != _FORMAT:
        raise _no_sketch(f"their format is {kept.format!r}, not {_FORMAT!r}")
    found = StatisticsSketch(kept.columns, sketches=sketches)
    # Decodes every column, so that damage is told here and not when figures are wanted.
    found.statistics()
    return found


def _no_sketch(what: str) -> DataError:
    return DataError(
        "TD-SKETCH-001",
        f"the bytes hold no sketch: {what}",
        expected="the bytes that a sketch gave, whole",
        fix="Fetch them again, or sketch the rows again.",
    )
