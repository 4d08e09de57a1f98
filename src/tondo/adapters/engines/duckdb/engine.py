"""The DuckDB engine: the batch engine of one machine."""

# ruff: noqa: S608 - names in composed SQL are quoted by connection.quote

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tondo.adapters.engines.duckdb import connection as opened
from tondo.adapters.engines.duckdb import profile as profiles
from tondo.core.errors import CallerError, DefinitionError, near
from tondo.ports.engine import FileTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ports.engine import LookupJoin, WindowJoin

_COLUMN_LIMIT_MB = 256


class DuckDBEngine:
    """Batch work on one machine; safe to share between threads.

    `threads`: workers, default one per core. `memory_limit_mb`: before spilling to
    `temp_directory` (default: an own folder that goes with the engine). `column_limit_mb`:
    what a column may take while its statistics are computed (default: a quarter of the memory
    limit, 256 at most); the values of a larger one are streamed from sorted runs on disk.
    """

    name = "duckdb"
    gaps: ClassVar[frozenset[str]] = frozenset()
    """Methods of the port, and functions of the language, that DuckDB does not offer."""

    def __init__(
        self,
        *,
        threads: int | None = None,
        memory_limit_mb: int | None = None,
        temp_directory: Path | None = None,
        column_limit_mb: float | None = None,
    ) -> None:
        if column_limit_mb is None:
            column_limit_mb = min(_COLUMN_LIMIT_MB, (memory_limit_mb or math.inf) / 4)
        self._column_limit_bytes = round(column_limit_mb * (1 << 20))
        self._settings = opened.DuckDBSettings(
            threads=threads,
            memory_limit_mb=memory_limit_mb,
            temp_directory=temp_directory or self._own_directory(),
        )
        self._connection = opened.connect(self._settings)

    def _own_directory(self) -> Path:
        path = Path(tempfile.mkdtemp(prefix="tondo-"))
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return path

    def close(self) -> None:
        """Release memory and threads."""
        self._connection.close()

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        # A cursor is a connection of its own to the same database: registered tables do not
        # meet those of other threads, and they go when it closes.
        with opened.coded_errors():
            cursor = self._connection.cursor()
            try:
                yield cursor
            finally:
                cursor.close()

    def query(self, text: str, tables: Mapping[str, Any]) -> pa.Table:
        """Run one SELECT of the user over named tables; it reaches no file and no network.

        Errors: TD-ENGINE-001 (it does not run), -002 (not one SELECT), -003 (memory or disk),
        -004 (reaches outside), -005 (not a table), -006 (a value does not fit).
        """
        paths = [path for t in tables.values() if isinstance(t, FileTable) for path in t.paths]
        locked = opened.connect(self._settings)
        try:
            with opened.coded_errors():
                _name_tables(locked, tables)
                opened.lock(locked, paths)
            with opened.coded_errors(tables):
                return opened.to_arrow(locked, _one_select(locked, text))
        finally:
            locked.close()

    def scan(self, table: Any, columns: Sequence[str] | None = None) -> pa.Table:
        """Read a table, or some of its columns, in its own order."""
        with self._session() as cursor:
            if isinstance(table, FileTable):
                _check_columns(columns or (), table.columns)
            source = opened.relation(cursor, table, columns)
            return opened.to_arrow(cursor, f"SELECT * FROM {source}")

    def evaluate(
        self, expressions: Mapping[str, Node], table: Any, *, keep: Sequence[str] = ()
    ) -> pa.Table:
        """Return `keep` columns and one column per checked expression, rows in input order."""
        from tondo.adapters.engines.duckdb.lowering_layers import select

        with self._session() as cursor:
            text = select(expressions, opened.relation(cursor, table), keep=keep)
            return opened.to_arrow(cursor, opened.with_shared_lists(cursor, text))

    def point_in_time(
        self,
        spine: Any,
        *,
        time: str,
        lookups: Sequence[LookupJoin],
        windows: Sequence[WindowJoin],
    ) -> pa.Table:
        """Return the spine, every row once and in order, with the joined features added."""
        from tondo.adapters.engines.duckdb import joins

        with self._session() as cursor:
            return joins.point_in_time(cursor, spine, time=time, lookups=lookups, windows=windows)

    def profile(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        top: int = 20,
        labels: int = 1000,
        buckets: int = 10,
        weight: str | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return exact statistics per column (`ports/engine.py` names the entries).

        Errors: TD-STATS-004 (a value of `weight` is not a weight).
        """
        extent = self._extent(top, labels, buckets)
        with self._session() as cursor:
            return profiles.profile(cursor, table, columns, extent=extent, weight=weight)

    def profile_slices(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        by: Sequence[Mapping[str, str]] = (),
        where: Mapping[str, Node] | None = None,
        least_rows: int = 1,
        most: int = 100,
        top: int = 20,
        labels: int = 1000,
        buckets: int = 10,
    ) -> list[dict[str, Any]]:
        """Return exact statistics per slice and column, each column read once."""
        from tondo.adapters.engines.duckdb import slices

        extent = self._extent(top, labels, buckets)
        with self._session() as cursor:
            return slices.profile_slices(
                cursor,
                table,
                columns,
                by=by,
                where=where or {},
                least_rows=least_rows,
                most=most,
                extent=extent,
            )

    def crosses(
        self,
        table: Any,
        columns: Mapping[str, str],
        *,
        label: str | None = None,
        most_values: int = 100,
    ) -> dict[str, list[dict[str, Any]]]:
        """Return what pairs of columns say of each other (`ports/engine.py` names the entries)."""
        from tondo.adapters.engines.duckdb import crosses

        with self._session() as cursor:
            return crosses.crosses(cursor, table, columns, label=label, most_values=most_values)

    def _extent(self, top: int, labels: int, buckets: int) -> profiles.Extent:
        return profiles.Extent(
            top=top, labels=labels, buckets=buckets, limit_bytes=self._column_limit_bytes
        )


def _name_tables(connection: Any, tables: Mapping[str, Any]) -> None:
    for name, table in tables.items():
        source = opened.relation(connection, table)
        connection.execute(f"CREATE TEMP VIEW {opened.quote(name)} AS SELECT * FROM {source}")


def _one_select(connection: Any, text: str) -> str:
    """Return the text when it is one SELECT."""
    import duckdb

    statements = connection.extract_statements(text)
    if len(statements) == 1 and statements[0].type == duckdb.StatementType.SELECT:
        return str(statements[0].query)
    kinds = [str(each.type).rsplit(".", 1)[-1] for each in statements] or ["nothing"]
    raise DefinitionError(
        "TD-ENGINE-002",
        f"the query holds {', '.join(kinds)}",
        expected="exactly one SELECT statement (a WITH clause before it is fine)",
        fix="Keep one SELECT; writing, attaching and settings are not for queries.",
    )


def _check_columns(wanted: Sequence[str], known: Mapping[str, str]) -> None:
    for name in wanted:
        if name not in known:
            raise CallerError(
                "TD-ENGINE-008",
                f"the table has no column '{name}'",
                fix=near(name, known),
                column=name,
            )
