"""Rows of databases as Arrow tables, a range of keys at a time."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, DateTime, column, inspect, select, table, text
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.types import Boolean

from tondo.adapters.sources.sqlalchemy.addresses import Address, open_engine
from tondo.adapters.sources.sqlalchemy.values import arrow_table
from tondo.core.errors import NotFoundError, OutsideError, near
from tondo.ports.databases import DatabaseChunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Connection, Select

    from tondo.ports.databases import DatabaseQuery

_COLON = re.compile(r"(?<!\\):")
_DECLARED = {Boolean: "bool", DateTime: "timestamp", Date: "date"}


class SqlDatabases:
    """Reads what SQLAlchemy has a dialect for; `environ` holds the secrets that URLs name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def read(self, query: DatabaseQuery) -> Iterator[DatabaseChunk]:
        """Yield the rows, all as of one moment (ports/databases.py names the errors)."""
        address = Address(query, self._environ)
        engine = open_engine(address, query)
        with (
            _coded(query, address),
            engine.connect() as connection,
            _one_moment(connection),
        ):
            types = _declared(connection, query)
            for each in _pieces(connection, query, _rows(query)):
                yield DatabaseChunk(rows=each, types=types)


def _rows(query: DatabaseQuery) -> Any:
    if query.table is not None:
        schema, _, name = query.table.rpartition(".")
        return table(name, schema=schema or None)
    # A colon in the author's SQL is theirs, and never the name of a parameter.
    own = _COLON.sub(r"\\:", str(query.query).strip().rstrip(";"))
    # The line break ends a comment on the author's last line.
    return text(f"({own}\n) AS answer")


def _pieces(connection: Connection, query: DatabaseQuery, rows: Any) -> Iterator[pa.Table]:
    everything = select(text("*")).select_from(rows)
    if query.chunk_rows is None or query.key is None:
        yield _fetched(connection, everything)
        return
    key: Any = column(query.key)
    empty = True
    low: Any = None
    for high in _bounds(connection, query.chunk_rows, key=key, rows=rows):
        piece = everything.where(key.is_not(None)) if low is None else everything.where(key > low)
        if high is not None:
            piece = piece.where(key <= high)
        found = _fetched(connection, piece.order_by(key))
        low = high
        if found.num_rows:
            empty = False
            yield found
    without = _fetched(connection, everything.where(key.is_(None)))
    if without.num_rows or empty:
        yield without


def _bounds(connection: Connection, size: int, *, key: Any, rows: Any) -> Iterator[Any]:
    """Yield the last key of each piece in turn; None for the last piece, which has no end."""
    keys = select(key).select_from(rows).order_by(key).offset(size - 1).limit(1)
    high = connection.execute(keys.where(key.is_not(None))).scalar()
    while high is not None:
        yield high
        high = connection.execute(keys.where(key > high)).scalar()
    yield None


def _fetched(connection: Connection, statement: Select[Any]) -> pa.Table:
    answer = connection.execute(statement)
    return arrow_table(list(answer.keys()), answer.fetchall())


@contextlib.contextmanager
def _one_moment(connection: Connection) -> Iterator[None]:
    """Hold one read-only transaction, so that no range sees rows another did not."""
    name = connection.dialect.name
    if name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    elif name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        yield
    finally:
        connection.rollback()


def _declared(connection: Connection, query: DatabaseQuery) -> dict[str, str]:
    """Return the types of a table's columns that values alone may not show, as in SQLite."""
    if query.table is None:
        return {}
    schema, _, name = query.table.rpartition(".")
    looked = inspect(connection)
    try:
        columns = looked.get_columns(name, schema=schema or None)
    except NoSuchTableError:
        known = [*looked.get_table_names(schema or None), *looked.get_view_names(schema or None)]
        raise NotFoundError(
            "TD-DATA-002",
            f"source '{query.source}': the database has no table '{query.table}'",
            expected="a table or a view that the user may read",
            fix=near(name, known),
            table=query.table,
        ) from None
    return {
        each["name"]: column_type
        for each in columns
        for kind, column_type in _DECLARED.items()
        if isinstance(each["type"], kind)
    }


@contextlib.contextmanager
def _coded(query: DatabaseQuery, address: Address) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        said = address.hide(str(getattr(error, "orig", None) or error).splitlines()[0])
        # Without the cause: a driver's error may hold the whole address.
        raise OutsideError(
            "TD-DATA-026",
            f"source '{query.source}': the database did not answer: {said}",
            expected=f"rows from {address.shown}",
            fix="Check the address, the rights of its user and the query.",
            source=query.source,
        ) from None
