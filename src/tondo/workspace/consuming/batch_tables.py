"""The table of a batch: a snapshot by reference, or a file, read in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from tondo.workspace.bootstrap import Parts


class BatchTable(NamedTuple):
    """What is to be scored."""

    name: str
    """The batch's name, where none is given: the dataset, or the file."""
    shown: str
    """What errors and runs call it."""
    columns: dict[str, str]
    """Column to column type."""
    tables: Callable[[Sequence[str]], Iterator[pa.Table]]
    """From columns to tables, in the order of the rows."""
    parents: list[tuple[str, str, str]]
    """Edges of the ledger into what is made of it."""

    def empty(self, columns: Sequence[str]) -> pa.Table:
        """Return some of its columns, without a row."""
        import pyarrow as pa

        from tondo.stages.data.arrow_types import arrow_type

        return pa.table({name: pa.array([], arrow_type(self.columns[name])) for name in columns})


def open_table(
    parts: Parts, *, dataset: str | None, file: str | None, declared: Mapping[str, str]
) -> BatchTable:
    """Open the table; `declared` are the columns that are read of it, with their types.

    Errors: TD-SERVING-014 (not one of both is named), TD-DATA-006 (a column is not there), those
    of references and of files.
    """
    if (dataset is None) == (file is None):
        raise CallerError(
            "TD-SERVING-014",
            f"{'neither' if file is None else 'both'} a dataset {'nor' if file is None else 'and'}"
            " a file is named",
            expected="one table: --dataset REF or --file FILE",
        )
    if file is not None:
        return _of_file(Path(file), declared)
    assert dataset is not None
    return _of_dataset(parts, dataset, declared)


def _of_file(path: Path, declared: Mapping[str, str]) -> BatchTable:
    from tondo.stages.data.bare_files import open_file

    found = open_file(path, declared)
    return BatchTable(path.name, found.name, dict(found.columns), found.pieces, [])


def _of_dataset(parts: Parts, ref: str, declared: Mapping[str, str]) -> BatchTable:
    from tondo.stages.data.conform import conform
    from tondo.stages.serving.batch.pieces import snapshot_tables
    from tondo.workspace.verbs.data import DataVerbs

    snapshot = DataVerbs(parts).snapshot(ref)
    paths = [parts.blobs.local_path(each.digest) for each in snapshot.files]
    found = BatchTable(
        ref.partition("@")[0],
        f"{ref} (snapshot {snapshot.id[:12]})",
        dict(snapshot.columns),
        lambda columns: snapshot_tables(paths, columns),
        [("snapshot", snapshot.id, "scored")],
    )
    conform(found.empty(list(found.columns)), declared, zone=None, where=found.shown)
    return found
