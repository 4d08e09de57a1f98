"""Opening a ledger: make a new one, take one that fits, or bring an older one up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from tondo.core.errors import PlatformError
from tondo.ledger import failures, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tondo.ledger.database import Database


def prepare(database: Database) -> None:
    """Leave the ledger at the present version; one that fits costs one plain SELECT."""
    with database.reading() as connection:
        stored = stored_version(connection)
    if stored == tables.VERSION:
        return
    with database.transaction() as connection:
        # Another process may have done it while this one waited for the lock.
        stored = stored_version(connection)
        if stored is None:
            _create(connection, database.place)
        elif stored < tables.VERSION:
            _migrate(connection)
        elif stored > tables.VERSION:
            raise _newer(stored, database.place)


def stored_version(connection: Connection) -> str | None:
    """Return the migration that the ledger stands at, or None for an empty database."""
    known = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).first()
    if known is None:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def _create(connection: Connection, place: str) -> None:
    # Straight from the tables: importing Alembic would cost a new ledger half a second. A test
    # holds that the migrations lead to the very same schema.
    count = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    if count:
        raise failures.damaged(place, "it has tables, but none that tells its version")
    tables.metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(
        text("INSERT INTO alembic_version (version_num) VALUES (:version)"),
        {"version": tables.VERSION},
    )


def _migrate(connection: Connection) -> None:
    from tondo.ledger.migrations.run import upgrade

    upgrade(connection)


def _newer(stored: str, place: str) -> PlatformError:
    return PlatformError(
        "TD-LEDGER-008",
        f"the ledger {place} was written by a newer tondo (version {stored} of the tables)",
        expected=f"version {tables.VERSION} or older",
        fix="Update tondo: pip install --upgrade tondo.",
        path=place,
        stored=stored,
    )
