"""Columns of a table that somebody hands over: rows, mappings of lists, arrays, Arrow, frames.

No library of tables is imported: Arrow's C stream is read from memory, NumPy's arrays as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.scoring.arrow_stream import read_stream
from tondo.scoring.table_column import Kind, TableColumn, lost_time, not_a_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_WITHOUT_NAN = frozenset({int, str, bool, type(None)})
_PLAIN = _WITHOUT_NAN | {float}
"""Types of values that no library has wrapped; a list of these needs no look at each."""


def is_table(data: Any, types: Mapping[str, str]) -> bool:
    """Return whether a mapping holds columns and not the values of one row.

    The first column that is no list by its type decides.

    >>> is_table({"x": [1.0, 2.0]}, {"x": "double"}), is_table({"x": 1.0}, {"x": "double"})
    (True, False)
    """
    for name, type_ in types.items():
        if name in data and item_type(type_) is None:
            return _is_sequence(data[name])
    lists = [data[name] for name in types if name in data]
    return any(_is_sequence(item) for each in lists if _is_sequence(each) for item in each)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) > 0


def columns_of_mapping(data: Mapping[str, Any], names: Iterable[str]) -> dict[str, TableColumn]:
    """Return the named columns of a mapping of lists or NumPy arrays, all of one length."""
    found = {name: column_of(name, data[name]) for name in names if name in data}
    lengths = {name: len(column.values) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise not_a_table(f"its columns are not of one length ({shown})")
    return found


def columns_of_frame(data: Any, names: Iterable[str]) -> dict[str, TableColumn]:
    """Return the named columns of a table that lends itself by Arrow, or of a pandas frame."""
    if hasattr(data, "__arrow_c_stream__"):
        try:
            capsule = data.__arrow_c_stream__()
        except ImportError:
            capsule = None  # pandas lends itself by pyarrow, which need not be there
        if capsule is not None:
            return read_stream(capsule, set(names))
    known = set(data.columns)
    return columns_of_mapping(
        {name: data[name].to_numpy() for name in names if name in known}, names
    )


def is_frame(data: Any) -> bool:
    """Return whether `data` is a table of a library: of Arrow, or of pandas by its `iloc`."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "iloc")


def column_of(name: str, values: Any) -> TableColumn:
    """Return a column of a list, a tuple or a NumPy array of one dimension."""
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    if getattr(values, "ndim", 1) != 1:
        raise not_a_table(f"column '{name}' has {values.ndim} dimensions")
    if kind == "M":
        return _instants(name, values)
    if not (kind or isinstance(values, list | tuple)):
        raise not_a_table(f"column '{name}' is a {type(values).__name__}, the first one is a list")
    plain = values.tolist() if kind else values
    found = set(map(type, plain))
    if found <= _WITHOUT_NAN:
        return TableColumn("plain", list(plain))
    if found <= _PLAIN:
        return TableColumn("plain", [None if each != each else each for each in plain])  # noqa: PLR0124 - NaN
    return TableColumn("plain", [_of_column(each) for each in plain])


def _instants(name: str, values: Any) -> TableColumn:
    import numpy as np

    missing = np.isnat(values)
    unit = np.datetime_data(values.dtype)[0]
    kind: Kind = "day" if unit in {"D", "W", "M", "Y"} else "instant"
    whole = values.astype("datetime64[D]" if kind == "day" else "datetime64[us]")
    if not (missing | (whole == values)).all():
        raise lost_time(name)
    numbers = whole.astype(np.int64).tolist()
    return TableColumn(
        kind, [None if gone else each for each, gone in zip(numbers, missing.tolist(), strict=True)]
    )


def plain_value(value: Any) -> Any:
    """Return a value without its library's wrapping: a scalar of NumPy, a time of pandas."""
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if not hasattr(value, "dtype"):
        return value
    if value.dtype.kind == "M":
        return column_of("", value.reshape(1)).values[0]
    return value.tolist()


def _of_column(value: Any) -> Any:
    """Return a plain value; NaN, which a row may not hold, is null in a column."""
    plain = plain_value(value)
    return None if isinstance(plain, float) and plain != plain else plain  # noqa: PLR0124 - NaN


def rows_of(data: Any) -> Sequence[Any]:
    """Return rows that were given one by one."""
    if isinstance(data, str | bytes) or not hasattr(data, "__iter__"):
        raise not_a_table(f"it is a {type(data).__name__}")
    return list(data)
