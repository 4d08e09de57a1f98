"""Exact statistics of a table, and how they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.columns import item_type
from tondo.core.errors import CallerError, near
from tondo.ports.engine import FileTable
from tondo.stages.data import statistics_display
from tondo.stages.data.arrow_types import stored_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.engine import Profiler

Value = bool | int | float | str
SHOWN_VALUES = 20


class Lengths(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Lengths of texts in characters or tokens, or of lists in items."""

    min: int | None
    max: int | None
    mean: float | None
    total: int | None = None
    """All of them together."""
    histogram: tuple[tuple[int, int, int], ...] = ()
    """Of lists: ten buckets of equal count between the deciles: low, high, count."""


class Weighted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A column in which each row counts as much as its weight; a missing weight counts 1."""

    rows: float
    """The sum of the weights."""
    missing: float
    """The weight of nulls and NaN."""
    top: tuple[tuple[Value, float], ...] = ()
    mean: float | None = None
    sd: float | None = None
    """Population standard deviation."""


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
    quantile_histogram: tuple[tuple[float | int, float | int, int], ...] = ()
    """Ten buckets of equal count between the deciles: low, high, count."""
    empty: int | None = None
    """Empty texts or lists."""
    length: Lengths | None = None
    """Characters of texts, items of lists; an empty one has the length 0."""
    tokens: Lengths | None = None
    """Parts of texts between white space."""
    integer_text: bool = False
    """Text of which every value reads as a whole number of 64 bits."""
    number_text: bool = False
    """Text of which every value reads as a finite decimal number."""
    items: ColumnStatistics | None = None
    """Of lists: all their items as one column; `items.rows` counts nulls and NaN too."""
    weighted: Weighted | None = None
    """With a weight column only."""

    @property
    def valency(self) -> Lengths | None:
        """Of lists: how many items those that are not null have."""
        return None if self.items is None else self.length

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
        return statistics_display.text(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return statistics_display.html(self)


def statistics(
    table: Any,
    *,
    engine: Profiler,
    columns: Mapping[str, str] | None = None,
    weight: str | None = None,
) -> Statistics:
    """Return exact statistics of a FileTable or a conformed Arrow table.

    `columns` narrows or names the column types; by default all of the table's. `weight` names
    the column by which rows count besides. Errors: TD-STATS-001 (no such column), -002 (a column
    that holds no weights), -004 (a value that is no weight).
    """
    types = types_of(table)
    if weight is not None:
        found = types[known_column(weight, types)]
        if found not in {"double", "id", "bool"}:
            raise CallerError(
                "TD-STATS-002",
                f"column '{weight}' is a {found} and cannot weigh rows",
                expected="a column of numbers",
                fix="Name another column, or leave the weight out.",
                column=weight,
            )
    wanted = types if columns is None else columns
    return of_profile(engine.profile(table, wanted, top=SHOWN_VALUES, weight=weight), wanted)


def of_profile(profile: Mapping[str, Any], columns: Mapping[str, str]) -> Statistics:
    """Return statistics from what an engine says of each column."""
    found = {name: _column(body, columns[name]) for name, body in profile.items()}
    rows = max((column.rows for column in found.values()), default=0)
    return Statistics(rows=rows, columns=found)


def _column(body: Mapping[str, Any], column_type: str) -> ColumnStatistics:
    typed = {"type": column_type, **body}
    if "items" in body:
        typed["items"] = {"type": item_type(column_type), **body["items"]}
    return msgspec.convert(typed, ColumnStatistics)


def types_of(table: Any) -> Mapping[str, str]:
    """Return column name to column type of a FileTable or a conformed Arrow table."""
    return table.columns if isinstance(table, FileTable) else stored_types(table)


def known_column(name: str, types: Mapping[str, str]) -> str:
    """Return `name` when the table has that column, else raise TD-STATS-001 with near names."""
    if name not in types:
        raise CallerError(
            "TD-STATS-001",
            f"the table has no column '{name}'",
            fix=near(name, types),
            column=name,
        )
    return name
