"""Sources in databases: their rows in column types, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import DefinitionError
from tondo.ports.databases import DatabaseQuery
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.conform import conform
from tondo.stages.data.definitions import check_columns, time_columns
from tondo.stages.data.text_columns import infer_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from tondo.ports.databases import DatabaseChunk, Databases
    from tondo.stages.data.definitions import SourceDefinition


def read_database(
    definition: SourceDefinition, *, base: Path, databases: Databases | None
) -> Iterator[pa.Table]:
    """Yield the rows of a source that has a `url`, in column types, a range of keys at a time.

    Numbers and text become column types as in JSON lines. Errors: TD-DATA-002 (no such table or
    SQLite file), -004 to -007 and -010 as `read_source`, -012 (no database can be opened here),
    -025 and -026 (address and answer).
    """
    if definition.url is None or databases is None:
        raise DefinitionError(
            "TD-DATA-012",
            f"source '{definition.name}' reads a database, which is not opened here",
            expected="a `path:`, or a workspace that opens databases",
            source=definition.name,
        )
    query = DatabaseQuery(
        source=definition.name,
        url=definition.url,
        table=definition.table,
        query=definition.query,
        key=definition.key[0] if definition.key else None,
        chunk_rows=definition.chunk_rows,
        base=base,
    )
    for chunk in databases.read(query):
        table = _typed(chunk, definition)
        check_columns(definition, stored_types(table))
        yield table


def _typed(chunk: DatabaseChunk, definition: SourceDefinition) -> pa.Table:
    import pyarrow as pa

    rows: pa.Table = chunk.rows
    times = {name: "timestamp" for name in time_columns(definition) if name in rows.column_names}
    declared = chunk.types | times | definition.columns
    for position, field in enumerate(rows.schema):
        if field.name not in declared and pa.types.is_string(field.type):
            rows = rows.set_column(position, field.name, infer_time(rows.column(position)))
    return conform(rows, declared, zone=definition.zone, where=f"source '{definition.name}'")
