"""The batch engine port: language trees and Arrow in, Arrow out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from tondo.language.tree import Node, WindowCall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path  # noqa: TC004 - never decoded, so never needed when running

    import pyarrow as pa


class FileTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that lies in Parquet files."""

    paths: tuple[Path, ...]
    columns: dict[str, str]
    """Column name to column type (`core/columns.py`)."""


class LookupJoin(msgspec.Struct, frozen=True, kw_only=True):
    """As-of join of the newest row per key at or before the spine's time."""

    view: str
    table: Any
    """FileTable or Arrow table with the view's source rows."""
    key: str
    """Join key column of the view's source."""
    spine_key: str
    """Column of the spine that holds the key (a role: `dest` for `origin`)."""
    event_time: str | None
    """None for a view without time: one row per key."""
    recorded_at: str | None
    """When the row became known; joined only where recorded_at <= spine time."""
    ttl_us: int | None
    cadence_us: int | None
    """`every:`; rows are visible from the materialisation after them. None for pushed."""
    features: dict[str, Node]
    """Feature name to expression over the source's columns."""
    ties: dict[str, Node] = {}
    """Every feature of the view: rows equal in both times are ordered by these values, by name,
    null first, -0.0 before 0.0; the greatest wins. Empty: `features`."""
    prefix: str
    """Output columns are `prefix + feature`."""


class WindowJoin(msgspec.Struct, frozen=True, kw_only=True):
    """Aggregates over [t - w, t) of a source's events for each spine row."""

    view: str
    table: Any
    key: str
    spine_key: str
    event_time: str
    recorded_at: str | None
    features: dict[str, WindowCall]
    prefix: str


class Profiler(Protocol):
    """Tells exact statistics of FileTables and Arrow tables; every one tells the same numbers."""

    name: str

    def profile(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        top: int = 20,
        labels: int = 1000,
        buckets: int = 10,
        weight: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return exact statistics of each column, by name, as plain JSON values.

        Every column: `rows`, `missing` (nulls), `nan`, `infinite`, `distinct` (neither null nor
        NaN) and `top`, the most frequent values as [value, count], ties in the order of the
        values: `top` of them, of text and booleans `labels`. Numbers and times, over finite
        values: `min`, `max`, `quantiles` (inverted distribution function: always a value that
        occurs), `histogram` of equal-width buckets, `quantile_histogram` of the ranks between
        the deciles; numbers besides: `zeros`, `mean`, `sd` (population). Text: `empty`, `length`
        in characters and `tokens` between white space, each min, max, mean and total;
        `integer_text` and `number_text`: whether every value reads as an int64, or as a finite
        decimal number. Lists: `empty`, `length` in items (nulls and NaN count) with the
        `histogram` of ranks, and `items`, the entries of all items as one column. Times are
        microseconds, dates days.

        With `weight`, a column of weights from 0 (a missing one counts 1): `weighted`, with
        `rows`, `missing` (nulls and NaN), `top`, and of numbers `mean` and `sd`.
        """
        ...

    def profile_slices(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        by: Sequence[Mapping[str, str]] = (),
        where: Mapping[str, Node] | None = None,
        least_rows: int = 1,
        most: int = 100,
        top: int = 20,
        labels: int = 1000,
        buckets: int = 10,
    ) -> list[dict[str, Any]]:
        """Return `slice`, as [name, value] pairs, and `columns`, as `profile`, of each slice.

        Each of `by` (key columns to types) cuts by the values of its columns together, missing
        (null or NaN) being a value too: its `most` largest slices, ties by value. Each of `where`
        is the slice [[name, true]] of the rows of which the checked tree is true. Slices under
        `least_rows` rows are left out.
        """
        ...

    def crosses(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        label: str | None = None,
        most_values: int = 100,
    ) -> dict[str, list[dict[str, Any]]]:
        """Return what pairs of columns say of each other, as plain JSON values.

        `numeric`, of each pair of doubles over the rows where both are finite: `columns`,
        `count`, `covariance` (population) and `correlation` (Pearson; null without spread).
        `categorical`, of each pair of texts, booleans and `label` with `most_values` values at
        most, over the rows where both are there: `columns`, their `values` in order, and the
        table of `counts`.
        """
        ...


class Evaluator(Protocol):
    """Computes expressions on tables; every one answers the same bits."""

    name: str

    def evaluate(
        self, expressions: Mapping[str, Node], table: Any, *, keep: Sequence[str] = ()
    ) -> pa.Table:
        """Return `keep` columns and one column per checked expression, rows in input order."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


class Joiner(Evaluator, Protocol):
    """Computes features of tables: expressions, and views as they were known."""

    def scan(self, table: Any, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a table."""
        ...

    def point_in_time(
        self,
        spine: Any,
        *,
        time: str,
        lookups: Sequence[LookupJoin],
        windows: Sequence[WindowJoin],
    ) -> pa.Table:
        """Return the spine, every row once and in order, with the joined features added."""
        ...


class Engine(Profiler, Joiner, Protocol):
    """One batch engine. Tables are FileTable or Arrow tables; answers are Arrow tables."""

    def query(self, text: str, tables: Mapping[str, Any]) -> pa.Table:
        """Run the user's own SQL over named tables; outside the promise of equality."""
        ...
