"""Arrow types and column types: which stands for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

EXACT_INTEGER = 2**53
"""Whole numbers up to here are exact as doubles."""


def arrow_type(column_type: str) -> pa.DataType:
    """Return the one Arrow type in which snapshots keep a column type."""
    import pyarrow as pa

    item = item_type(column_type)
    if item is not None:
        return pa.list_(arrow_type(item))
    types: dict[str, Any] = {
        "double": pa.float64(),
        "id": pa.int64(),
        "bool": pa.bool_(),
        "string": pa.string(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
    }
    return types[column_type]


def column_types(table: pa.Table) -> dict[str, str]:
    """Return column name to column type of any Arrow table; integers count as `double`."""
    return {field.name: column_type(field.type, name=field.name) for field in table.schema}


def stored_types(table: pa.Table) -> dict[str, str]:
    """Return column name to column type of a conformed table; integers are `id`."""
    import pyarrow as pa

    found = column_types(table)
    for field in table.schema:
        if field.type == pa.int64():
            found[field.name] = "id"
        elif field.type == pa.list_(pa.int64()):
            found[field.name] = "list<id>"
    return found


def column_type(arrow: pa.DataType, *, name: str, where: str = "") -> str:
    """Return the column type that holds values of an Arrow type (TD-DATA-007 when none does).

    `where` is what errors name before the column.
    """
    from pyarrow import types

    if types.is_dictionary(arrow):
        return column_type(arrow.value_type, name=name, where=where)
    if types.is_list(arrow) or types.is_large_list(arrow) or types.is_fixed_size_list(arrow):
        item = column_type(arrow.value_type, name=name, where=where)
        if not item.startswith("list<"):
            return f"list<{item}>"
    tests = {
        "bool": types.is_boolean(arrow),
        "double": types.is_integer(arrow) or types.is_floating(arrow) or types.is_decimal(arrow),
        "string": types.is_string(arrow)
        or types.is_large_string(arrow)
        or types.is_string_view(arrow),
        "timestamp": types.is_timestamp(arrow),
        "date": types.is_date(arrow),
    }
    for found, holds in tests.items():
        if holds:
            return found
    if types.is_null(arrow):
        return "double"
    raise DataError(
        "TD-DATA-007",
        f"{f'{where}: ' if where else ''}column '{name}' holds {arrow}, for which tondo has no "
        "column type",
        expected="numbers, booleans, text, times, dates, or lists of them",
        fix="Take it apart, or cast it, in a derived data set or before.",
        column=name,
        type=str(arrow),
    )


def check_names(names: list[str], where: str, *, cased: bool = False) -> None:
    """Refuse empty and repeated column names, and names that hold a NUL (TD-DATA-010).

    Names that differ in the case of ASCII letters alone count as repeated, since SQL takes them for
    one; not if `cased`, where no SQL sees the names.
    """
    seen: dict[bytes, str] = {}
    folded = _whole if cased else _folded
    for position, name in enumerate(names, start=1):
        what = ""
        if not name.strip():
            what = f"column {position} has no name"
        elif "\0" in name:
            what = f"{name!r} holds a NUL"
        elif folded(name) in seen:
            before = seen[folded(name)]
            what = f"'{name}' stands twice"
            if before != name:
                what = f"'{name}' and '{before}', which SQL cannot tell apart, stand"
        if what:
            raise DataError(
                "TD-DATA-010",
                f"{where}: {what} among the columns",
                expected="a name of its own for each column",
                fix="Correct the header.",
                column=name,
            )
        seen[folded(name)] = name


def _whole(name: str) -> bytes:
    """Return a name as bytes, every letter as it is."""
    return name.encode("utf-8", "surrogatepass")


def _folded(name: str) -> bytes:
    """Return a name as SQL compares it: of bytes, only ASCII letters have a case."""
    return _whole(name).lower()
