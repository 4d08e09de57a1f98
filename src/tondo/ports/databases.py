"""The databases port: rows of a table or a query as Arrow, in bounded pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path  # noqa: TC004 - never decoded, so never needed when running


class DatabaseQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What to read: a whole table, or what a SELECT answers."""

    source: str
    """Name of the source, for errors."""
    url: str
    """SQLAlchemy URL; `${NAME}` stands for a variable of the environment."""
    table: str | None = None
    """Table name, with its schema before a dot where it has one."""
    query: str | None = None
    key: str | None = None
    """Column whose ranges are the pieces."""
    chunk_rows: int | None = None
    """Rows of a piece; rows with the same key stay together. None: one piece."""
    base: Path
    """Folder that the relative path of an SQLite file starts from."""


class DatabaseChunk(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of the rows."""

    rows: Any
    """Arrow table in the types that the values have."""
    types: dict[str, str]
    """Column types that the database declares and the values may not show: bool, date,
    timestamp."""


class Databases(Protocol):
    """Reads databases and never writes to them."""

    def read(self, query: DatabaseQuery) -> Iterator[DatabaseChunk]:
        """Yield the rows, all as of one moment; at least one piece, empty when there is no row.

        Errors: TD-DATA-025 (a variable is not set), TD-DATA-026 (the database refused),
        TD-DATA-007 (values of no column type), TD-INSTALL-001 (its driver is not installed).
        """
        ...
