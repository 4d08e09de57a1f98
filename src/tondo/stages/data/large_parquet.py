"""Parquet files larger than memory: looked through batch by batch, then read by an engine.

What would refuse a file that is read whole refuses it here too; columns that an engine would read
as other values are written again, in their column types, to a file beside.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.core.columns import item_type
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import arrow_type, column_types, stored_types
from tondo.stages.data.conform import conform
from tondo.stages.data.file_kinds import shown
from tondo.stages.data.files import readable_parquet
from tondo.stages.data.sources import file_marks, find_files, format_of, refuse_change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from tondo.stages.data.definitions import SourceDefinition

# As much as the engine takes for a column of its statistics (`column_limit_mb`).
_HELD_BYTES = 256 << 20
_BATCH_ROWS = 1 << 17
_CELL_BYTES, _TEXT_BYTES = 8, 64
"""What a cell takes in memory about; of texts and lists the files do not tell."""


def is_large(path: Path) -> bool:
    """Say whether a path is a Parquet file that is better not held in memory whole."""
    import pyarrow as pa
    from pyarrow import parquet

    if not path.is_file() or format_of(path) != "parquet":
        return False
    try:
        found = parquet.read_metadata(path)
        types = found.schema.to_arrow_schema().types
    except (pa.ArrowException, OSError):
        # Reading it says what is wrong.
        return False
    cells = sum(_CELL_BYTES if _has_width(each) else _TEXT_BYTES for each in types)
    packed = sum(found.row_group(at).total_byte_size for at in range(found.num_row_groups))
    return bool(max(packed, found.num_rows * cells) > _HELD_BYTES)


def _has_width(arrow: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_primitive(arrow) or types.is_boolean(arrow) or types.is_null(arrow))


@contextmanager
def open_large(definition: SourceDefinition, *, base: Path) -> Iterator[FileTable]:
    """Look a source's only file through, and yield it as a table of files.

    Errors: those of `read_source` for Parquet; TD-DATA-027 at the end when it changed meanwhile.
    """
    (path,) = find_files(definition, base=base)
    before = file_marks(definition, base=base)
    with tempfile.TemporaryDirectory(prefix="tondo-") as name:
        yield _looked_through(path, definition, Path(name))
    refuse_change(definition.name, before, file_marks(definition, base=base))


def _looked_through(path: Path, definition: SourceDefinition, folder: Path) -> FileTable:
    where = f"source '{definition.name}' ({shown(path)})"
    batches = _batches(path, where, limit_mb=definition.expanded_mb)
    first = next(batches)
    conform(first, definition.columns, zone=definition.zone, where=where)
    columns = column_types(first) | definition.columns
    again = {each.name for each in first.schema if not _stands(each.type, columns[each.name])}
    place = folder / "table.parquet"
    with _copy(place, first.schema, columns, again) as keep:
        for batch in batches:
            settled = conform(batch, definition.columns, zone=definition.zone, where=where)
            # A whole number beyond 2^53 in any batch makes ids of all.
            columns |= {name: "id" for name, each in stored_types(settled).items() if each == "id"}
            keep(batch, settled)
    if not again:
        # By a name of ours: an engine takes signs and folders of a path as patterns and columns.
        place.symlink_to(path.absolute())
    return FileTable(paths=(place,), columns=columns)


def _batches(path: Path, where: str, *, limit_mb: int | None) -> Iterator[pa.Table]:
    """Yield the rows batch by batch, before them a table without rows."""
    import pyarrow as pa

    with readable_parquet(path, where, limit_mb=limit_mb) as file:
        yield file.schema_arrow.empty_table()
        for batch in file.iter_batches(_BATCH_ROWS):
            table = pa.Table.from_batches([batch])
            table.validate(full=True)
            yield table


def _stands(arrow: pa.DataType, column_type: str) -> bool:
    """Say whether an engine reads values of an Arrow type as those of the column type."""
    from pyarrow import types

    if types.is_list(arrow):
        item = item_type(column_type)
        return item is not None and _stands(arrow.value_type, item)
    if types.is_dictionary(arrow):
        arrow = arrow.value_type
    numbers = types.is_integer(arrow) or types.is_float32(arrow) or types.is_float64(arrow)
    stands = {
        "double": numbers or types.is_null(arrow),
        "id": numbers,
        "bool": types.is_boolean(arrow),
        "string": types.is_string(arrow) or types.is_large_string(arrow),
        "timestamp": types.is_timestamp(arrow),
        "date": types.is_date32(arrow),
    }
    return bool(stands.get(column_type, False))


@contextmanager
def _copy(
    place: Path, schema: pa.Schema, columns: dict[str, str], again: set[str]
) -> Iterator[Callable[[pa.Table, pa.Table], None]]:
    """Yield what keeps a batch at `place`, the columns `again` as settled; without any, nothing."""
    from pyarrow import parquet

    if not again:
        yield lambda _batch, _settled: None
        return
    for at, field in enumerate(schema):
        if field.name in again:
            schema = schema.set(at, field.with_type(arrow_type(columns[field.name])))
    with parquet.ParquetWriter(place, schema.remove_metadata()) as writer:

        def keep(batch: pa.Table, settled: pa.Table) -> None:
            for name in again:
                at = batch.column_names.index(name)
                batch = batch.set_column(at, schema.field(at), settled.column(name))
            writer.write_table(batch.replace_schema_metadata(None))

        yield keep
