"""Rows of answers into tables of databases, what was there of them taken away, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    MetaData,
    Table,
    Text,
    and_,
    create_engine,
    delete,
    insert,
)
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tondo.adapters.sources.sqlalchemy.addresses import Address
from tondo.core.errors import MissingExtraError, OutsideError
from tondo.ports.databases import DatabaseQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa
    from sqlalchemy import Engine

    from tondo.ports.tables import TableTarget

ROWS_AT_ONCE = 1_000
"""Rows of one INSERT: drivers limit its parameters, and its text is kept in memory."""

_TYPES: dict[str, Any] = {
    "double": Double,
    "id": BigInteger,
    "bool": Boolean,
    "string": Text,
    "timestamp": lambda: DateTime(timezone=True),
    "date": Date,
}


class SqlTables:
    """Writes where SQLAlchemy has a dialect for; `environ` holds the secrets that URLs name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def replace(
        self,
        target: TableTarget,
        pieces: Iterable[pa.Table],
        *,
        columns: dict[str, str],
        where: dict[str, str],
    ) -> int:
        """Put rows where those with the values of `where` were (ports/tables.py)."""
        query = DatabaseQuery(
            source=target.table, url=target.url, table=target.table, base=target.base
        )
        address = Address(query, self._environ)
        engine = _engine(address, target)
        table = _table(target.table, columns)
        count = 0
        try:
            with engine.begin() as connection:
                table.create(connection, checkfirst=True)
                same = [table.c[name] == value for name, value in where.items()]
                connection.execute(delete(table).where(and_(*same)))
                for rows in _rows(pieces):
                    connection.execute(insert(table), rows)
                    count += len(rows)
        except SQLAlchemyError as error:
            said = address.hide(str(getattr(error, "orig", None) or error).splitlines()[0])
            # Without the cause: a driver's error may hold the whole address.
            raise OutsideError(
                "TD-SERVING-012",
                f"the table '{target.table}' was not written: {said}",
                expected=f"a table of {address.shown} with the columns {', '.join(columns)}",
                fix="Nothing of it was changed. Mend that and run again, or name another table.",
                table=target.table,
            ) from None
        finally:
            engine.dispose()
        return count


def _engine(address: Address, target: TableTarget) -> Engine:
    url = address.url
    if url.get_backend_name() == "sqlite":
        path = target.base / Path(url.database or "").expanduser()
        url = url.set(database=str(path))
    try:
        return create_engine(url, poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise MissingExtraError.of(
            url.get_backend_name(), f"table '{target.table}' ({error.name})"
        ) from None
    except NoSuchModuleError:
        raise OutsideError(
            "TD-SERVING-012",
            f"the table '{target.table}' was not written: no dialect for {address.shown}",
            expected="a SQLAlchemy URL such as postgresql+psycopg://user:${PASSWORD}@host/name",
            table=target.table,
        ) from None


def _table(name: str, columns: Mapping[str, str]) -> Table:
    schema, _, own = name.rpartition(".")
    # Lists, which no database holds alike, are kept as JSON text.
    made = [Column(each, _TYPES.get(type_, Text)()) for each, type_ in columns.items()]
    return Table(own, MetaData(), *made, schema=schema or None)


def _rows(pieces: Iterable[pa.Table]) -> Iterable[list[dict[str, Any]]]:
    for piece in pieces:
        for start in range(0, piece.num_rows, ROWS_AT_ONCE):
            yield [_plain(row) for row in piece.slice(start, ROWS_AT_ONCE).to_pylist()]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, list) else value for name, value in row.items()}
