"""The connections of one ledger: one writer at a time, readers beside it, nothing half done."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event
from sqlalchemy.pool import StaticPool

from tondo.core.errors import CallerError
from tondo.ledger import failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, CursorResult, Engine

# One wait inside SQLite, and how many of them: half a minute in all for the write lock.
_BUSY_TIMEOUT_S = 5.0
_BUSY_ROUNDS = 6


class Database:
    """Hands out connections: many for reading, one for writing.

    Writers take turns within the process before they ask SQLite for its lock, because SQLite
    waits by sleeping, and not in turn.
    """

    def __init__(self, url: str) -> None:
        parsed = _checked(url)
        self.place = parsed.database or "in memory"
        self.in_memory = parsed.database is None
        self._engine = _engine(parsed, in_memory=self.in_memory)
        event.listen(self._engine, "connect", _prepare)
        self._turn = threading.RLock()
        self._local = threading.local()
        self._writer: Connection | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for reading; inside a transaction it is the transaction's."""
        inside = self._inside()
        with failures.coded(self.place):
            if inside is not None:
                yield inside
                return
            # In memory readers share the writer's connection, so they take their turn too.
            turn = self._turn if self.in_memory else contextlib.nullcontext()
            with turn, self._engine.connect() as connection:
                yield connection

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Connection]:
        """Run a block as one commit; a block inside a block joins it.

        Without `durable` the commit may be lost by a power failure (never by a kill), which
        spares a flush to the device. What an outer block promised holds for the inner ones.
        """
        inside = self._inside()
        if inside is not None:
            with failures.coded(self.place):
                yield inside
            return
        with self._turn, failures.coded(self.place):
            connection = self._writing_connection()
            try:
                with connection.begin():
                    self._begin(connection, durable=durable)
                    self._local.connection = connection
                    yield connection
            finally:
                self._local.connection = None

    def close(self) -> None:
        """Give all connections back; a later use opens new ones."""
        with self._turn:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._engine.dispose()

    def _inside(self) -> Connection | None:
        return getattr(self._local, "connection", None)

    def _writing_connection(self) -> Connection:
        if self._writer is None:
            self._writer = self._engine.connect()
        return self._writer

    def _begin(self, connection: Connection, *, durable: bool) -> None:
        # Straight to the driver: these run around every commit and need nothing of SQLAlchemy.
        driver = connection.connection.driver_connection
        assert driver is not None
        mode = "FULL" if durable else "NORMAL"
        if connection.info.get("synchronous") != mode:
            driver.execute(f"PRAGMA synchronous={mode}")
            connection.info["synchronous"] = mode
        for left in range(_BUSY_ROUNDS - 1, -1, -1):
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not failures.is_busy(error) or left == 0:
                    raise
                time.sleep(0.001 * left)
            else:
                return


def sequence_of(done: CursorResult[Any]) -> int:
    """Return the number that the database gave to the one row just inserted."""
    key: Sequence[Any] | None = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def _checked(url: str) -> URL:
    # Taken apart by hand: what follows the slashes is a path, whatever signs are in it.
    if url == "sqlite://":
        return URL.create("sqlite")
    path = url.removeprefix("sqlite:///")
    if path not in {url, "", ":memory:"}:
        return URL.create("sqlite", database=path)
    raise CallerError(
        "TD-LEDGER-011",
        f"'{url}' is not the address of a ledger",
        expected="sqlite:///path/to/ledger.db, or sqlite:// for one in memory",
        url=url,
    )


def _engine(url: URL, *, in_memory: bool) -> Engine:
    arguments = {"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False}
    if in_memory:
        # It lives as long as its one connection, which all threads share.
        return create_engine(url, connect_args=arguments, poolclass=StaticPool)
    # Readers never wait for one another: any number may open, five stay open.
    return create_engine(url, connect_args=arguments, pool_size=5, max_overflow=-1)


def _prepare(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: BEGIN IMMEDIATE is ours.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
