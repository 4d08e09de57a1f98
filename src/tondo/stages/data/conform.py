"""Bringing any Arrow table into column types: what a snapshot holds.

Whole numbers become `double` unless declared `id`, or unless one of them is too large for a
double to hold exactly (beyond 2**53): then the column is an `id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.core.errors import DataError, DefinitionError, near
from tondo.stages.data.arrow_types import EXACT_INTEGER, arrow_type, check_names, column_type
from tondo.stages.data.text_columns import parse_text
from tondo.stages.data.zones import give_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


def conform(
    table: pa.Table, declared: Mapping[str, str], *, zone: str | None, where: str
) -> pa.Table:
    """Return the table with every column in the Arrow type of its column type.

    `declared` types win over what is found; `zone` is given to times without one. `where` is
    named by errors: TD-DATA-004 (a value does not fit), -005 (a time without zone), -006 (a
    declared column is not there), -007 (no column type), -010 (names).
    """
    import pyarrow as pa

    check_names(table.column_names, where)
    for name in declared:
        if name not in table.column_names:
            raise DefinitionError(
                "TD-DATA-006",
                f"{where}: the declared column '{name}' is not in the data",
                fix=near(name, table.column_names),
                column=name,
            )
    columns = {
        name: _conform_column(column, declared.get(name), name=name, zone=zone, where=where)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return pa.table(columns)


def _conform_column(
    column: pa.ChunkedArray, declared: str | None, *, name: str, zone: str | None, where: str
) -> pa.ChunkedArray:
    import pyarrow as pa

    found = column_type(column.type, name=name, where=where)
    wanted = declared or _inferred(column, found)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if wanted == "timestamp" and pa.types.is_timestamp(column.type) and column.type.tz is None:
        micros = _cast(column, pa.timestamp("us"), wanted=wanted, name=name, where=where)
        column = give_zone(micros, name=name, zone=zone, where=where)
    target = arrow_type(wanted)
    if column.type == target:
        return column
    if wanted in {"double", "list<double>"}:
        column = _decimals_as_text(column)
    if found == "string" and wanted != "string" and item_type(wanted) is None:
        return parse_text(column, wanted, name=name, zone=zone, where=where)
    return _cast(column, target, wanted=wanted, name=name, where=where)


def _decimals_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals, also in lists, as text, from which a cast gives the nearest double.

    Arrow's own cast multiplies by a power of ten: 12.34 would be off by one unit.
    """
    import pyarrow as pa

    nested = hasattr(column.type, "value_type")
    inner = column.type.value_type if nested else column.type
    if not pa.types.is_decimal(inner):
        return column
    return column.cast(pa.list_(pa.string()) if nested else pa.string())


def _inferred(column: pa.ChunkedArray, found: str) -> str:
    import pyarrow as pa
    import pyarrow.compute as pc

    if found == "double" and pa.types.is_integer(column.type):
        ends = pc.min_max(column).as_py()
        if max(abs(ends["min"] or 0), abs(ends["max"] or 0)) > EXACT_INTEGER:
            return "id"
    return found


def _cast(
    column: pa.ChunkedArray, target: Any, *, wanted: str, name: str, where: str
) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        # Numbers with many digits round to the nearest double; all else must fit exactly.
        return column.cast(target, safe=wanted not in {"double", "list<double>"})
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            "TD-DATA-004",
            f"{where}: column '{name}' does not fit its type {wanted}: {error}",
            expected=f"values of type {wanted}",
            fix=f"Correct the data, or declare another type for '{name}'.",
            column=name,
        ) from None
