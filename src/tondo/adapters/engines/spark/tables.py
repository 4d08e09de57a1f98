"""Tables as Spark frames, and columns as values with an order that Spark and DuckDB share."""

from __future__ import annotations

import re
from hashlib import md5
from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.core.errors import CallerError, near
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

SPARK_TYPES = {
    "double": "double",
    "id": "bigint",
    "bool": "boolean",
    "string": "string",
    "timestamp": "timestamp",
    "date": "date",
}
MICROS = "unix_micros(CAST({0} AS TIMESTAMP))"
"""SQL of a time as microseconds."""
_VALUES = {
    # Adding 0.0 turns -0.0 into 0.0.
    "double": "CAST({0} AS DOUBLE) + 0.0D",
    "id": "CAST({0} AS BIGINT)",
    "timestamp": MICROS,
    "date": "CAST(unix_date({0}) AS BIGINT)",
    "string": "CAST({0} AS STRING)",
    # As texts: false comes before true.
    "bool": "CAST({0} AS STRING)",
}
FILE, ROW = "tondo_file", "tondo_row"
"""Columns of `ordered` beside those of the table."""
_ADDRESS_SQL = "CAST(replace(_metadata.file_path, 'file:///', 'file:/') AS BINARY)"
_DIGEST_SQL = f"CAST(conv(substr(md5({_ADDRESS_SQL}), 1, 15), 16, 10) AS BIGINT)"
_QUOTED = re.compile(r"[^A-Za-z0-9_.!~'()*:@&=+$,/;\u0080-\U0010ffff-]")
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
    return session.createDataFrame(_arrow(table, columns))


def ordered(session: Any, table: Any, columns: Sequence[str]) -> tuple[Any, list[str]]:
    """Return the frame of `columns`, and what else it holds: that by which its rows stand in order.

    An Arrow table keeps its order as it is. Of files, Spark reads the largest pieces first.
    """
    if not isinstance(table, FileTable) or not table.paths:
        return frame(session, table, columns), []
    check_columns(columns, table.columns)
    places = [f"{_DIGEST_SQL} AS {FILE}", f"_metadata.row_index AS {ROW}"]
    return _read(session, table).selectExpr(*map(quote, columns), *places), [FILE, ROW]


def in_order(found: pa.Table, table: Any) -> pa.Table:
    """Return rows of `ordered` in the order of the table, without what told it."""
    if FILE not in found.column_names:
        return found
    import pyarrow as pa

    digests = [digest_of(path) for path in table.paths]
    places = pa.compute.index_in(found.column(FILE), pa.array(digests, pa.int64()))
    assert places.null_count == 0, "Spark names a file otherwise than we do"
    order = pa.table({"file": places, "row": found.column(ROW)})
    rows = pa.compute.sort_indices(order, sort_keys=[("file", "ascending"), ("row", "ascending")])
    return found.drop_columns([FILE, ROW]).take(rows)


def check_columns(wanted: Iterable[str], known: Collection[str]) -> None:
    """Raise TD-ENGINE-008 for the first name that the table has not."""
    for name in wanted:
        if name not in known:
            raise CallerError(
                "TD-ENGINE-008",
                f"the table has no column '{name}'",
                fix=near(name, known),
                column=name,
            )


def names_of(table: Any) -> list[str]:
    """Return the names of a table's columns; TD-ENGINE-005 when it is no table."""
    return list(table.columns if isinstance(table, FileTable) else _arrow(table, None).column_names)


def _arrow(table: Any, columns: Sequence[str] | None) -> pa.Table:
    if not hasattr(table, "__arrow_c_stream__"):
        raise CallerError(
            "TD-ENGINE-005",
            f"a {type(table).__name__} is not a table",
            expected="a FileTable or an Arrow table",
            fix="Convert it with pyarrow.table(...), or read it as a source.",
        )
    import pyarrow as pa

    given = pa.table(table)
    if columns is None:
        return given
    check_columns(columns, given.column_names)
    return given.select(list(columns))


def _of_files(session: Any, table: FileTable, columns: Sequence[str] | None) -> Any:
    names = list(table.columns if columns is None else columns)
    if not table.paths:
        listed = ", ".join(f"{quote(name)} {spark_type(table.columns[name])}" for name in names)
        return session.createDataFrame([], listed)
    return _read(session, table).select(*map(quote, names))


def _read(session: Any, table: FileTable) -> Any:
    # As addresses: in a plain path Spark would read *, ? and [ as patterns.
    paths = [_escaped(path.absolute().as_posix()) for path in table.paths]
    return session.read.parquet(*paths)


def _escaped(path: str) -> str:
    for sign in "\\{}[]*?":
        path = path.replace(sign, "\\" + sign)
    return path


def digest_of(path: Path) -> int:
    """Return 60 bits that name a file; `_DIGEST_SQL` is the same in Spark.

    Spark tells a file by its address, in which all but these signs and other alphabets is written
    as bytes (java.net.URI).
    """
    address = _QUOTED.sub(lambda sign: f"%{ord(sign[0]):02X}", path.absolute().as_posix())
    digest = md5(f"file:{address}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:15], 16)
