"""Verbs on statistics: of slices, of what columns say of each other, of what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError
from tondo.stages.data.statistics import Statistics, Value

if TYPE_CHECKING:
    from tondo.stages.data.compare_statistics import Comparison
    from tondo.stages.data.cross import Crosses
    from tondo.stages.data.row_skew import RowSkew
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.verbs.data import DataVerbs


class SliceStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Exact statistics of the rows of one slice."""

    slice: dict[str, Value | None]
    """What its rows share: column to value, or a predicate to true."""
    rows: int
    statistics: Statistics

    def __repr__(self) -> str:
        """Show the slice on a line, then its statistics."""
        shared = ", ".join(f"{name} = {value}" for name, value in self.slice.items())
        return f"{shared}\n{self.statistics!r}"


class StatisticsVerbs:
    """What a workspace tells of snapshots beside the statistics of their columns."""

    def __init__(self, parts: Parts, data: DataVerbs) -> None:
        self._parts = parts
        self._data = data

    def slices(
        self,
        ref: str,
        *,
        columns: list[str] | None = None,
        where: list[str] | None = None,
        least_rows: int = 1,
        limit: int = 100,
    ) -> list[SliceStatistics]:
        """Return the statistics of each slice: the very numbers of its rows taken alone.

        Each of `columns` makes a slice for each value, several with commas between them are taken
        together; each of `where` is a predicate of the feature language. Of each entry of
        `columns` the `limit` largest slices are told. Errors: TD-STATS-001, -002, -003, and
        TD-STATS-020 when neither is said.
        """
        from tondo.stages.data.slices import slice_statistics

        if not columns and not where:
            raise CallerError(
                "TD-STATS-020",
                "neither a column nor a predicate says what the slices are",
                expected="--slice COLUMN, or --where EXPRESSION",
                fix="For the whole snapshot ask for its statistics.",
            )
        table = self._data.table(ref)
        found = slice_statistics(
            table,
            engine=self._parts.profiler,
            by=[_named(each, table.columns) for each in columns or ()],
            where={each: each for each in where or ()},
            least_rows=least_rows,
            most=limit,
        )
        return [
            SliceStatistics(slice=dict(name), rows=each.rows, statistics=each)
            for name, each in found.items()
        ]

    def crosses(self, ref: str, *, label: str | None = None) -> Crosses:
        """Return what columns say of each other, and of a label; computed once and kept.

        Errors: TD-STATS-001 (no such label), -002 (no label can be of its type), -005 (too many
        values).
        """
        from tondo.core.canonical import digest
        from tondo.stages.data.cross import Crosses, crosses

        snapshot, ledger = self._data.snapshot(ref), self._parts.ledger
        key = digest({"snapshot": snapshot.id, "label": label})
        known = ledger.find("crosses", key)
        if known is not None:
            return msgspec.convert(known.body, Crosses)
        found = crosses(self._data.table(ref), engine=self._parts.profiler, label=label)
        ledger.put("crosses", key, found, parents=[("snapshot", snapshot.id, "describes")])
        return found

    def compare(self, ref: str, other: str) -> Comparison:
        """Return what changed from one snapshot's statistics to another's."""
        from tondo.stages.data.compare_statistics import compare

        return compare(self._data.statistics(ref), self._data.statistics(other))

    def skew(self, ref: str, other: str, key: list[str], *, digits: int | None = None) -> RowSkew:
        """Join two snapshots on a key and return in which columns the same rows differ.

        `digits` are the decimals to which numbers are rounded first. TD-STATS-030 for a bad key.
        """
        from tondo.stages.data.row_skew import row_skew

        engine = self._parts.engine
        tables = (engine.scan(self._data.table(each)) for each in (ref, other))
        return row_skew(*tables, key=key, digits=digits)


def _named(entry: str, known: dict[str, str]) -> list[str]:
    """Return the columns that an entry names: itself, or those between its commas."""
    return [entry] if entry in known else [each.strip() for each in entry.split(",")]
