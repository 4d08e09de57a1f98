"""What columns say of each other: covariance, correlation, association, lift."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import CallerError
from tondo.stages.data import display
from tondo.stages.data.statistics import Value, known_column, types_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.ports.engine import Profiler

MOST_VALUES = 100
"""Texts with more values are names rather than categories, as for schema domains."""
_SHOWN = 10


class NumericPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two columns of numbers, over the rows in which both are finite."""

    columns: tuple[str, str]
    count: int
    covariance: float | None
    """Of the population (divided by n, NumPy's ddof=0); None without rows or beyond doubles."""
    correlation: float | None
    """Pearson's; None where one of the two is constant."""


class CategoricalPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two columns of at most 100 values each, over the rows in which both are there."""

    columns: tuple[str, str]
    count: int
    cramers_v: float | None
    """Plain, without correction for bias (Cramér 1946, 21.9); None where one is constant."""


class Lift(msgspec.Struct, frozen=True, kw_only=True):
    """How much more frequent a label is where a column has a value: P(label | value) / P(label)."""

    column: str
    value: Value
    label: Value
    count: int
    """Rows with this value and this label."""
    lift: float


class Crosses(msgspec.Struct, frozen=True, kw_only=True):
    """What the columns of a table say of each other."""

    numeric: tuple[NumericPair, ...]
    categorical: tuple[CategoricalPair, ...]
    label: str | None = None
    lifts: tuple[Lift, ...] = ()

    @property
    def id(self) -> str:
        """The digest of the content."""
        return digest(self)

    def __repr__(self) -> str:
        return "\n".join([self._title(), *("  ".join(row) for row in self._rows())])

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return display.table(["columns", "measure", "rows"], self._rows(), caption=self._title())

    def _title(self) -> str:
        kinds = f"{len(self.numeric)} pairs of numbers, {len(self.categorical)} of categories"
        return f"{kinds}; the strongest of each"

    def _rows(self) -> list[list[str]]:
        numeric = sorted(self.numeric, key=lambda each: -abs(each.correlation or 0))
        categorical = sorted(self.categorical, key=lambda each: -(each.cramers_v or 0))
        lifts = sorted(self.lifts, key=lambda each: -abs(each.lift - 1) * each.count)
        rows = [
            [" x ".join(each.columns), f"r = {_shown(each.correlation)}", f"{each.count:,}"]
            for each in numeric[:_SHOWN]
        ]
        rows += [
            [" x ".join(each.columns), f"V = {_shown(each.cramers_v)}", f"{each.count:,}"]
            for each in categorical[:_SHOWN]
        ]
        rows += [
            [
                f"{each.column} = {each.value} -> {self.label} = {each.label}",
                f"lift {each.lift:.3f}",
                f"{each.count:,}",
            ]
            for each in lifts[:_SHOWN]
        ]
        return rows


def crosses(
    table: Any,
    *,
    engine: Profiler,
    columns: Mapping[str, str] | None = None,
    label: str | None = None,
) -> Crosses:
    """Return what each two columns of a FileTable or a conformed Arrow table say of each other.

    Pairs of `double` columns, and pairs of texts and booleans with at most 100 values; `label`,
    of which each value's lift is told besides, may also be a number with as few values.
    `columns` narrows or names the column types.

    Errors: TD-STATS-001 (no such label), -002 (a label of another type), -005 (too many labels).
    """
    types = types_of(table)
    wanted = types if columns is None else columns
    if label is not None:
        _check_label(table, known_column(label, types), types[label], engine)
    found = engine.crosses(table, wanted, label=label, most_values=MOST_VALUES)
    tables = found["categorical"]
    return Crosses(
        numeric=msgspec.convert(tuple(found["numeric"]), tuple[NumericPair, ...]),
        categorical=tuple(_association(each) for each in tables),
        label=label,
        lifts=tuple(
            lift for each in tables if label in each["columns"] for lift in _lifts(each, label)
        ),
    )


def _check_label(table: Any, label: str, type_: str, engine: Profiler) -> None:
    if type_ not in {"string", "bool", "double", "id"}:
        raise CallerError(
            "TD-STATS-002",
            f"column '{label}' is a {type_} and is no label",
            expected="a text, boolean or number of few values",
            fix="Name another column, or leave the label out.",
            column=label,
        )
    distinct = engine.profile(table, {label: type_})[label]["distinct"]
    if distinct > MOST_VALUES:
        raise CallerError(
            "TD-STATS-005",
            f"column '{label}' has {distinct:,} values, too many for a label",
            expected=f"at most {MOST_VALUES} values",
            fix="Derive a column that puts the values into groups, and name that.",
            column=label,
        )


def _association(pair: Mapping[str, Any]) -> CategoricalPair:
    """Cramér's V = sqrt(chi² / (n * (the smaller number of values - 1)))."""
    counts: list[list[int]] = pair["counts"]
    rows = [sum(row) for row in counts]
    across = [sum(column) for column in zip(*counts, strict=True)]
    total = sum(rows)
    freedom = min(sum(each > 0 for each in rows), sum(each > 0 for each in across)) - 1
    first, second = pair["columns"]
    found = None
    if freedom > 0:
        # chi² / n = sum over cells of n_xy² / (n_x n_y), less 1: from exact integers.
        squared = math.fsum(
            (count * total - rows[x] * across[y]) ** 2 / (rows[x] * across[y] * total * total)
            for x, row in enumerate(counts)
            for y, count in enumerate(row)
            if rows[x] and across[y]
        )
        found = min(math.sqrt(squared / freedom), 1.0)
    return CategoricalPair(columns=(first, second), count=total, cramers_v=found)


def _lifts(pair: Mapping[str, Any], label: str | None) -> list[Lift]:
    """Lift of each value and label that occur together, over rows in which both are there."""
    (first, second), (values, labels) = pair["columns"], pair["values"]
    counts: Sequence[Sequence[int]] = pair["counts"]
    if first == label:
        first, values, labels = second, labels, values
        counts = list(zip(*counts, strict=True))
    total = sum(map(sum, counts))
    of_label = [sum(column) for column in zip(*counts, strict=True)]
    return [
        Lift(
            column=first,
            value=values[x],
            label=labels[y],
            count=count,
            lift=count * total / (sum(row) * of_label[y]),
        )
        for x, row in enumerate(counts)
        for y, count in enumerate(row)
        if count
    ]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
