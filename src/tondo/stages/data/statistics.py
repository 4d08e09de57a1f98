"""Exact statistics of a table, and how they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.instants import format_instant
from tondo.ports.engine import FileTable
from tondo.stages.data import display
from tondo.stages.data.arrow_types import stored_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.engine import Engine

Value = bool | int | float | str
SHOWN_VALUES = 20


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """Lengths of texts in characters, or of lists in items."""

    min: int | None
    max: int | None
    mean: float | None


class ColumnStatistics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column, exactly. Numbers are of the finite values; times are microseconds, dates days."""

    type: str
    rows: int
    missing: int
    """Nulls."""
    nan: int = 0
    """The language reads NaN as missing, so `present` leaves it out."""
    infinite: int = 0
    distinct: int | None = None
    """Distinct values, nulls and NaN aside; None for lists."""
    top: tuple[tuple[Value, int], ...] = ()
    """Most frequent values with counts: up to 20, of text up to 1,000; ties by value."""
    zeros: int | None = None
    mean: float | None = None
    sd: float | None = None
    """Population standard deviation (divided by n)."""
    min: float | int | None = None
    max: float | int | None = None
    quantiles: dict[str, float | int] = {}
    """`0.25` to the least value that a quarter of the values do not exceed."""
    histogram: tuple[tuple[float, float, int], ...] = ()
    """Ten buckets of equal width: low, high, count; the high end counts in the last only."""
    empty: int | None = None
    """Empty texts or lists."""
    length: Lengths | None = None

    @property
    def present(self) -> int:
        """Values that are there: neither null nor NaN."""
        return self.rows - self.missing - self.nan

    @property
    def tail(self) -> int:
        """How many values are not among `top`."""
        return self.present - sum(count for _, count in self.top)


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of every column of a table."""

    rows: int
    columns: dict[str, ColumnStatistics]

    @property
    def id(self) -> str:
        """The digest of the content."""
        return digest(self)

    def __repr__(self) -> str:
        lines = [f"Statistics of {self.rows:,} rows, {len(self.columns)} columns"]
        width = max((len(name) for name in self.columns), default=0)
        for name, column in self.columns.items():
            counts = [bucket[2] for bucket in column.histogram]
            cells = [name.ljust(width), column.type.ljust(9), *summary(column)]
            lines.append("  ".join([*cells, display.blocks(counts)]).rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [
            [name, column.type, *summary(column), _picture(column)]
            for name, column in self.columns.items()
        ]
        head = ["column", "type", "missing", "distinct", "values", "distribution"]
        return display.table(head, rows, caption=f"{self.rows:,} rows")


def statistics(
    table: Any, *, engine: Engine, columns: Mapping[str, str] | None = None
) -> Statistics:
    """Return exact statistics of a FileTable or a conformed Arrow table.

    `columns` narrows or names the column types; by default all of the table's.
    """
    if columns is None:
        columns = table.columns if isinstance(table, FileTable) else stored_types(table)
    profile = engine.profile(table, columns, top=SHOWN_VALUES)
    found = {
        name: msgspec.convert({"type": columns[name], **body}, ColumnStatistics)
        for name, body in profile.items()
    }
    rows = max((column.rows for column in found.values()), default=0)
    return Statistics(rows=rows, columns=found)


def summary(column: ColumnStatistics) -> list[str]:
    """Return missing share, distinct values and the range or the commonest values, as text."""
    share = f"{(column.rows - column.present) / column.rows:.1%}" if column.rows else "-"
    distinct = "-" if column.distinct is None else f"{column.distinct:,} distinct"
    return [f"{share} missing", distinct, _values(column)]


def _values(column: ColumnStatistics) -> str:
    if column.type == "timestamp" and column.min is not None and column.max is not None:
        return f"{format_instant(int(column.min))} to {format_instant(int(column.max))}"
    if column.min is not None:
        middle = "" if column.mean is None else f", mean {column.mean:.4g}, sd {column.sd:.4g}"
        return f"{column.min:.6g} to {column.max:.6g}{middle}"
    if column.length is not None and column.distinct is None:
        return f"{column.length.min} to {column.length.max} items"
    return ", ".join(f"{value} ({count:,})" for value, count in column.top[:3])


def _picture(column: ColumnStatistics) -> str:
    counts = [bucket[2] for bucket in column.histogram]
    return display.bars(counts or [count for _, count in column.top[:10]])
