"""The tables port: rows of answers into a table of somebody's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path  # noqa: TC004 - never decoded, so never needed when running


class TableTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows go."""

    url: str
    """SQLAlchemy URL; `${NAME}` stands for a variable of the environment."""
    table: str
    """Table name, with its schema before a dot where it has one; made when it is not there."""
    base: Path
    """Folder that the relative path of an SQLite file starts from."""


class Tables(Protocol):
    """Writes rows of answers into databases."""

    def replace(
        self,
        target: TableTarget,
        pieces: Iterable[Any],
        *,
        columns: dict[str, str],
        where: dict[str, str],
    ) -> int:
        """Put Arrow tables where the rows with the values of `where` were; return how many rows.

        One transaction: all of it or nothing. `columns` are the names to column types. Errors:
        TD-DATA-024 (no address), TD-DATA-025 (a variable is not set), TD-SERVING-012 (the
        database refused), TD-INSTALL-001 (its driver is not installed).
        """
        ...
