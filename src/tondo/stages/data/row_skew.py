"""Skew row by row: the same keys in two tables, and in which columns their values differ.

Distances compare distributions and miss values that are shuffled among rows; here each row meets
its own. Counts are named as TFDV's feature skew detector names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, near

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_ROW = "row number"


class ColumnSkew(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the rows that both tables have. Null and NaN are no value."""

    column: str
    base_count: int
    """Rows with a value in the first table."""
    test_count: int
    match: int
    """Rows with the same value in both."""
    base_only: int
    test_only: int
    mismatch: int
    """Rows with two different values."""
    examples: tuple[tuple[dict[str, Any], Any, Any], ...] = ()
    """Some differing rows: the key, the first table's value, the second's."""

    @property
    def difference(self) -> int:
        """Rows that differ in any way."""
        return self.base_only + self.test_only + self.mismatch


class RowSkew(msgspec.Struct, frozen=True, kw_only=True):
    """Two tables, row by row."""

    rows: int
    """Rows that were compared: keys that both tables have exactly once."""
    base_only: int
    """Keys that only the first table has."""
    test_only: int
    base_without_key: int
    """Rows of which a part of the key is null."""
    test_without_key: int
    base_repeated: int
    """Keys that come more than once; they are not compared."""
    test_repeated: int
    columns: tuple[ColumnSkew, ...]
    """Those that both tables have, the most different first."""


def row_skew(
    base: pa.Table,
    test: pa.Table,
    *,
    key: Sequence[str],
    digits: int | None = None,
    examples: int = 3,
) -> RowSkew:
    """Join two tables on `key` and compare every other column that both have.

    `digits` are the decimals to which numbers are rounded first; None compares them as they are.
    Errors: TD-STATS-030 (a key that a table lacks, or that has two types).
    """
    _refuse_unfit(base, test, key)
    ours, theirs = _keyed(base, key), _keyed(test, key)
    joined = ours.once.join(theirs.once, list(key), join_type="inner", right_suffix=" of test")
    joined = joined.sort_by(_ROW)
    here, there = joined.column(_ROW), joined.column(f"{_ROW} of test")
    keys = joined.select(list(key))
    names = [each for each in base.column_names if each in test.column_names and each not in key]
    columns = [
        _compare(
            name,
            (base.column(name).take(here), test.column(name).take(there)),
            keys=keys,
            digits=digits,
            examples=examples,
        )
        for name in names
    ]
    columns.sort(key=lambda each: -each.difference)
    known = ours.keys.join(theirs.keys, list(key), join_type="inner").num_rows
    return RowSkew(
        rows=joined.num_rows,
        base_only=ours.keys.num_rows - known,
        test_only=theirs.keys.num_rows - known,
        base_without_key=ours.without,
        test_without_key=theirs.without,
        base_repeated=ours.keys.num_rows - ours.once.num_rows,
        test_repeated=theirs.keys.num_rows - theirs.once.num_rows,
        columns=tuple(columns),
    )


class _Keyed(msgspec.Struct):
    keys: Any
    """Every key once."""
    once: Any
    """Keys that come once, with their row's number."""
    without: int


def _keyed(table: pa.Table, key: Sequence[str]) -> _Keyed:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbered = table.select(list(key)).append_column(_ROW, pa.array(range(table.num_rows)))
    whole = numbered.drop_null()
    counted = whole.group_by(list(key)).aggregate([(_ROW, "min"), (_ROW, "count")])
    once = counted.filter(pc.equal(counted.column(f"{_ROW}_count"), 1))
    return _Keyed(
        keys=counted.select(list(key)),
        once=once.select([*key, f"{_ROW}_min"]).rename_columns([*key, _ROW]),
        without=table.num_rows - whole.num_rows,
    )


def _compare(
    name: str,
    sides: tuple[pa.ChunkedArray, pa.ChunkedArray],
    *,
    keys: pa.Table,
    digits: int | None,
    examples: int,
) -> ColumnSkew:
    import numpy as np

    before, after = (_values(each, digits) for each in sides)
    has_before = np.array([each is not None for each in before], dtype=bool)
    has_after = np.array([each is not None for each in after], dtype=bool)
    same = np.array([a == b for a, b in zip(before, after, strict=True)], dtype=bool)
    both = has_before & has_after
    differing = np.flatnonzero((has_before | has_after) & ~same)[:examples].tolist()
    return ColumnSkew(
        column=name,
        base_count=int(has_before.sum()),
        test_count=int(has_after.sum()),
        match=int((both & same).sum()),
        base_only=int((has_before & ~has_after).sum()),
        test_only=int((has_after & ~has_before).sum()),
        mismatch=int((both & ~same).sum()),
        examples=tuple(
            (keys.slice(at, 1).to_pylist()[0], before[at], after[at]) for at in differing
        ),
    )


def _values(column: pa.ChunkedArray, digits: int | None) -> list[Any]:
    """Return plain values, None for null and NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
        column = column if digits is None else pc.round(column, ndigits=digits)
    values: list[Any] = column.to_pylist()
    return values


def _refuse_unfit(base: pa.Table, test: pa.Table, key: Sequence[str]) -> None:
    for side, table in (("first", base), ("second", test)):
        for name in key:
            if name not in table.column_names:
                raise CallerError(
                    "TD-STATS-030",
                    f"the {side} table has no column '{name}' to join on",
                    fix=near(name, table.column_names),
                    column=name,
                )
    for name in key:
        if base.column(name).type != test.column(name).type:
            raise CallerError(
                "TD-STATS-030",
                f"'{name}' is {base.column(name).type} in the first table and "
                f"{test.column(name).type} in the second",
                expected="a key of one type",
                column=name,
            )
    if not key:
        raise CallerError("TD-STATS-030", "there is no key to join on", expected="a column or more")
