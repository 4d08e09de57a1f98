"""Values that database drivers hand out, as Arrow columns."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


def arrow_table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return rows as an Arrow table, each column in the type that holds its values.

    >>> arrow_table(["n"], [(Decimal("1.5"),), (None,)])["n"].to_pylist()
    [1.5, None]
    """
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    arrays = [_array(name, values) for name, values in zip(names, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=list(names))


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if UUID in kinds:
        values = [None if value is None else str(value) for value in values]
    try:
        return pa.array(_plain(kinds, values), _type(kinds, values))
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        spelled = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(
            "TD-DATA-007",
            f"the column '{name}' holds {spelled}, which no column type holds: {error}",
            expected="numbers, booleans, text, times, dates, or lists of them, of one kind",
            fix="Cast it in the source's `query:`.",
            column=name,
        ) from None


def _plain(kinds: set[type], values: Sequence[Any]) -> Sequence[Any]:
    if Decimal in kinds:
        return [None if value is None else float(value) for value in values]
    return values


def _type(kinds: set[type], values: Sequence[Any]) -> pa.DataType | None:
    import pyarrow as pa

    if kinds <= {int, float, Decimal}:
        return pa.int64() if kinds == {int} else pa.float64()
    if kinds == {datetime}:
        aware = {value.tzinfo is not None for value in values if value is not None}
        if aware == {True}:
            return pa.timestamp("us", tz="UTC")
        return pa.timestamp("us")
    if kinds == {date}:
        return pa.date32()
    return None
