"""Tables as Spark frames, and columns as values with an order that Spark and DuckDB share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.core.errors import CallerError
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Sequence

SPARK_TYPES = {
    "double": "double",
    "id": "bigint",
    "bool": "boolean",
    "string": "string",
    "timestamp": "timestamp",
    "date": "date",
}
_VALUES = {
    # Adding 0.0 turns -0.0 into 0.0.
    "double": "CAST({0} AS DOUBLE) + 0.0D",
    "id": "CAST({0} AS BIGINT)",
    "timestamp": "unix_micros(CAST({0} AS TIMESTAMP))",
    "date": "CAST(unix_date({0}) AS BIGINT)",
    "string": "CAST({0} AS STRING)",
    # As texts: false comes before true.
    "bool": "CAST({0} AS STRING)",
}
KINDS = {"double": "number", "id": "whole", "timestamp": "whole", "date": "whole"}
"""Column type to kind: columns of a kind are counted together. All others are `text`."""


def quote(name: str) -> str:
    """Return `name` as an SQL identifier.

    >>> quote("a`b")
    '`a``b`'
    """
    return "`" + name.replace("`", "``") + "`"


def kind_of(column_type: str) -> str:
    """Return the kind of a column of single values."""
    return KINDS.get(column_type, "text")


def value_sql(text: str, column_type: str) -> str:
    """Return SQL of a value of `kind_of(column_type)`: times in microseconds, dates in days."""
    return _VALUES[column_type].format(text)


def spark_type(column_type: str) -> str:
    """Return Spark's type for a column type.

    >>> spark_type("list<id>")
    'array<bigint>'
    """
    item = item_type(column_type)
    return SPARK_TYPES[column_type] if item is None else f"array<{SPARK_TYPES[item]}>"


def column_type(frame: Any, name: str) -> str:
    """Return the column type of single values of a frame; any number but an id is a double."""
    found = frame.schema[name].dataType.simpleString()
    return next((known for known, type_ in SPARK_TYPES.items() if type_ == found), "double")


def frame(session: Any, table: Any, columns: Sequence[str] | None = None) -> Any:
    """Return a table as a frame, narrowed to `columns`; TD-ENGINE-005 when it is no table.

    Parquet files are read by Spark's workers; an Arrow table is handed to them.
    """
    if isinstance(table, FileTable):
        return _of_files(session, table, columns)
    if not hasattr(table, "__arrow_c_stream__"):
        raise CallerError(
            "TD-ENGINE-005",
            f"a {type(table).__name__} is not a table",
            expected="a FileTable or an Arrow table",
            fix="Convert it with pyarrow.table(...), or read it as a source.",
        )
    import pyarrow as pa

    given = pa.table(table)
    return session.createDataFrame(given if columns is None else given.select(list(columns)))


def _of_files(session: Any, table: FileTable, columns: Sequence[str] | None) -> Any:
    names = list(table.columns if columns is None else columns)
    if not table.paths:
        listed = ", ".join(f"{quote(name)} {spark_type(table.columns[name])}" for name in names)
        return session.createDataFrame([], listed)
    # As addresses: in a plain path Spark would read *, ? and [ as patterns.
    paths = [_escaped(path.absolute().as_posix()) for path in table.paths]
    return session.read.parquet(*paths).select(*map(quote, names))


def _escaped(path: str) -> str:
    for sign in "\\{}[]*?":
        path = path.replace(sign, "\\" + sign)
    return path
