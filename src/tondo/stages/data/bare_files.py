"""A bare file or table a piece at a time, only the columns that are asked for.

A Parquet file is read by pieces of rows, so that it may be larger than memory; other files are
read whole. Whole numbers are doubles unless declared `id`; times without a zone are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tondo.core.errors import DataError, DefinitionError, near
from tondo.stages.data.arrow_types import check_names, column_type
from tondo.stages.data.conform import conform
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.data.file_kinds import shown
from tondo.stages.data.packed import unreadable
from tondo.stages.data.sources import find_files, read_source

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

PIECE_ROWS = 250_000
"""Enough that the planning of a query is a small part of it; some hundred MB for wide rows."""

Pieces = Callable[[Sequence[str]], Iterator["pa.Table"]]


class BareFile(NamedTuple):
    """What stands in a file or a table, and how its rows are got."""

    name: str
    """What errors call it."""
    columns: dict[str, str]
    """Column name to column type, of the columns that can be read."""
    refused: dict[str, DataError]
    """Column name to why its type cannot be read (TD-DATA-007)."""
    pieces: Pieces
    """From column names to tables of these columns in their column types, in the order of rows."""


def open_file(path: Path, declared: Mapping[str, str]) -> BareFile:
    """Open a Parquet, CSV or JSON-lines file; `declared` types win over what is found.

    :raises NotFoundError: TD-DATA-002 when there is none.
    :raises DataError: TD-DATA-003 and following when it cannot be read.
    :raises DefinitionError: TD-DATA-006 when a declared column is not in it.
    """
    here = path.absolute()
    name = shown(path)
    source = SourceDefinition(name=name, path=str(here), zone="UTC", columns=dict(declared))
    files = find_files(source, base=here.parent)
    if len(files) == 1 and files[0].suffix.lower() == ".parquet":
        return _of_parquet(files[0], declared, name)
    return open_table(read_source(source, base=here.parent), declared, name=name)


def open_table(table: pa.Table, declared: Mapping[str, str], *, name: str = "table") -> BareFile:
    """Take an Arrow table as a file is taken."""

    def pieces(columns: Sequence[str]) -> Iterator[pa.Table]:
        wanted = table.select(list(columns))
        for start in range(0, table.num_rows, PIECE_ROWS):
            yield wanted.slice(start, PIECE_ROWS)

    return _opened(table.schema, declared, name, pieces)


def _of_parquet(path: Path, declared: Mapping[str, str], name: str) -> BareFile:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Buffered beforehand, all that was read of a file would stay in memory until its end.
        file = parquet.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _broken(name, error) from None

    def pieces(columns: Sequence[str]) -> Iterator[pa.Table]:
        try:
            for batch in file.iter_batches(PIECE_ROWS, columns=list(columns)):
                # Text that is no UTF-8 would stop an engine later, without a word of the file.
                batch.validate(full=True)
                yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            raise _broken(name, error) from None

    return _opened(schema, declared, name, pieces)


def _broken(name: str, error: Exception) -> DataError:
    return unreadable(name, " ".join(str(error).split()), expected="a whole Parquet file")


def _opened(schema: pa.Schema, declared: Mapping[str, str], name: str, pieces: Pieces) -> BareFile:
    check_names(schema.names, name, cased=True)
    for each in declared:
        if each not in schema.names:
            raise DefinitionError(
                "TD-DATA-006",
                f"{name}: the declared column '{each}' is not in the data",
                fix=near(each, schema.names),
                column=each,
            )
    columns: dict[str, str] = {}
    refused: dict[str, DataError] = {}
    for field in schema:
        try:
            found = column_type(field.type, name=field.name, where=name)
            columns[field.name] = declared.get(field.name, found)
        except DataError as error:
            refused[field.name] = error

    def typed(wanted: Sequence[str]) -> Iterator[pa.Table]:
        row = 0
        for piece in pieces(wanted):
            where = f"{name}, from row {row + 1}" if row else name
            yield _typed(piece, {each: columns[each] for each in wanted}, where)
            row += piece.num_rows

    return BareFile(name, columns, refused, typed)


def _typed(piece: pa.Table, types: Mapping[str, str], where: str) -> pa.Table:
    """Return the piece in column types, a column at a time: `x` and `X` are two here."""
    for place, (name, type_) in enumerate(types.items()):
        column = conform(piece.select([name]), {name: type_}, zone="UTC", where=where).column(0)
        piece = piece.set_column(place, name, column)
    return piece
