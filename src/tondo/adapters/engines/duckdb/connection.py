"""How DuckDB is opened, how tables are named in it, and what its errors become."""

# ruff: noqa: S608 - names in composed SQL are quoted by `quote`

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec

from tondo.core.errors import CallerError, DataError, DefinitionError, PlatformError, near
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path  # noqa: TC004 - never decoded, so never needed when running

SQL_TYPES = {
    "double": "DOUBLE",
    "id": "BIGINT",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
}
_OFFLINE = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    # Names in SQL never fall back to Python variables of the caller.
    "python_enable_replacements": False,
}
_MISSING_TABLE = re.compile(r"Table with name \"?([^\s\"]+)\"? does not exist")


class DuckDBSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the machine the engine may use."""

    threads: int | None = None
    """Worker threads; None means one per core."""
    memory_limit_mb: int | None = None
    """Memory before spilling to `temp_directory`; None means 80 % of the machine's."""
    temp_directory: Path
    """Where results larger than memory spill; created only when needed."""


def connect(settings: DuckDBSettings) -> Any:
    """Open an in-memory DuckDB that never downloads anything and speaks UTC."""
    config: dict[str, Any] = {**_OFFLINE, "temp_directory": str(settings.temp_directory)}
    if settings.threads is not None:
        config["threads"] = settings.threads
    if settings.memory_limit_mb is not None:
        config["memory_limit"] = f"{settings.memory_limit_mb}MB"
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET preserve_insertion_order = true")
    # The setting belongs to the ICU extension; without ICU, DuckDB knows UTC only.
    with contextlib.suppress(duckdb.CatalogException):
        connection.execute("SET TimeZone = 'UTC'")
    return connection


def lock(connection: Any, paths: Iterable[Path]) -> None:
    """Leave only `paths` readable, and forbid undoing that."""
    allowed = ", ".join(quote_text(str(path)) for path in paths)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def quote(name: str) -> str:
    """Return `name` as an SQL identifier.

    >>> quote('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return `text` as an SQL string.

    >>> quote_text("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def sql_type(column_type: str) -> str:
    """Return DuckDB's type for a column type.

    >>> sql_type("list<double>")
    'DOUBLE[]'
    """
    if column_type.startswith("list<"):
        return SQL_TYPES[column_type[5:-1]] + "[]"
    return SQL_TYPES[column_type]


def relation(connection: Any, table: Any, columns: Sequence[str] | None = None) -> str:
    """Return SQL text to put after FROM for a FileTable or an Arrow table.

    An Arrow table is registered on `connection` under a name made of its identity; it is read
    in place. `columns` narrows what is read; TD-ENGINE-005 for anything that is not a table.
    """
    if isinstance(table, FileTable):
        return _file_relation(table, columns)
    if not hasattr(table, "__arrow_c_stream__"):
        raise CallerError(
            "TD-ENGINE-005",
            f"a {type(table).__name__} is not a table",
            expected="a FileTable or an Arrow table",
            fix="Convert it with pyarrow.table(...), or read it as a source.",
        )
    if columns is None:
        return quote(_registered(connection, table))
    # Of ten thousand columns the others would be looked at for each one that is read.
    name = _registered(connection, table.select(columns) if hasattr(table, "select") else table)
    return f"(SELECT {', '.join(map(quote, columns))} FROM {quote(name)})"


def _registered(connection: Any, table: Any) -> str:
    name = f"arrow_{id(table):x}"
    connection.register(name, table)
    return name


def _file_relation(table: FileTable, columns: Sequence[str] | None) -> str:
    names = list(table.columns) if columns is None else list(columns)
    if not table.paths:
        typed = ", ".join(f"NULL::{sql_type(table.columns[n])} AS {quote(n)}" for n in names)
        return f"(SELECT {typed} WHERE false)"
    files = ", ".join(quote_text(str(path)) for path in table.paths)
    listed = ", ".join(map(quote, names))
    return f"(SELECT {listed} FROM read_parquet([{files}]))"


# The tables of a time zone, several times in each zoned expression.
_LONG_LIST = re.compile(r"CAST\(\[[0-9,-]{200,}\] AS BIGINT\[\]\)")


def with_shared_lists(connection: Any, text: str) -> str:
    """Return our own SQL with each distinct long list said once, as a variable of the session.

    Parsing and binding the 64 KB of three zoned time parts takes DuckDB 140 ms; so it takes 30.
    """
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        name = names.setdefault(found[0], f"long_list_{len(names)}")
        return f"getvariable('{name}')"

    shorter = _LONG_LIST.sub(named, text)
    for constant, name in names.items():
        connection.execute(f"SET VARIABLE {name} = {constant}")
    return shorter


def to_arrow(connection: Any, text: str) -> Any:
    """Run one SELECT; return an Arrow table whose times carry the zone UTC."""
    import pyarrow as pa

    found = connection.sql(text).to_arrow_table()
    for position, field in enumerate(found.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz not in {None, "UTC"}:
            column = found.column(position).cast(pa.timestamp("us", tz="UTC"))
            found = found.set_column(position, field.name, column)
    return found


@contextlib.contextmanager
def coded_errors(tables: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Turn DuckDB's errors into coded ones; `tables` are the names the user's SQL may use.

    With `tables` an error of the text is its author's (TD-ENGINE-001, -002, -004); without, the
    text is ours, and a value it stumbles over is the data's fault (TD-ENGINE-006).
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException, OSError) as error:
        raise PlatformError(
            "TD-ENGINE-003",
            f"the engine could not go on: {_sentence(error)}",
            expected="enough memory, and room in the temporary directory",
            fix="Free some space, or raise the engine's memory limit.",
        ) from error
    except duckdb.PermissionException as error:
        raise DefinitionError(
            "TD-ENGINE-004",
            f"the query reaches outside its tables: {_sentence(error)}",
            expected="only the tables it was given: " + ", ".join(sorted(tables or ())),
            fix="Declare a source for the file and name that source in the query.",
        ) from error
    except duckdb.DataError as error:
        raise _data_error(error, ours=tables is None) from error
    except duckdb.Error as error:
        raise _text_error(error, tables) from error


def _data_error(error: Exception, *, ours: bool) -> Exception:
    kind = DataError if ours else DefinitionError
    return kind(
        "TD-ENGINE-006",
        f"a value does not fit: {_sentence(error)}",
        expected="values that the expression can compute on",
        fix="Correct the data, or guard the expression (try_cast, nullif, coalesce).",
    )


def _text_error(error: Exception, tables: Mapping[str, Any] | None) -> Exception:
    if tables is None:
        return PlatformError(
            "TD-ENGINE-007",
            f"the engine refused what tondo asked of it: {_sentence(error)}",
            fix="Please report this with the definition that led to it.",
        )
    missing = _MISSING_TABLE.search(str(error))
    fix = near(missing[1], tables) if missing else "Correct the query."
    return DefinitionError("TD-ENGINE-001", f"the query does not run: {_sentence(error)}", fix=fix)


def _sentence(error: Exception) -> str:
    """DuckDB's own words without its guess among system tables and without the caret lines."""
    lines = str(error).split("\n\nLINE")[0].splitlines()
    return " ".join(line for line in lines if not line.startswith("Did you mean")).strip()
