"""The Arrow type in which a column type leaves every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_type(column_type: str) -> pa.DataType:
    """Return the Arrow type in which a column type leaves an engine."""
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
