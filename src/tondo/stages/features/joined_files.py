"""Joined rows, remembered for each file of the spine, so that only new files are joined.

A file of a snapshot never changes, and what a view says of its rows depends on those files of
the view alone that can hold rows visible at the times of the file. Both are named by digests;
together with the recipe of the join they are the key under which the joined rows are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.language.tree import LANGUAGE_VERSION
from tondo.language.walk import columns_of
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.commits import recorded_snapshot
from tondo.stages.data.row_groups import write_rows
from tondo.stages.features.joins import join_views
from tondo.stages.features.spans import Span, reach_us, span_of
from tondo.stages.features.spine_pieces import PIECE_BYTES, pieces_of, rows_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from tondo.language.tree import Node
    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.engine import Engine
    from tondo.stages.data.snapshots import SnapshotFile
    from tondo.stages.features.joins import ViewFeatures
    from tondo.stages.features.views import FeatureView

KIND = "joined_file"
FORMAT = 2
"""Part of every key: raised when a join answers otherwise or its rows are kept otherwise."""


class JoinedFile(msgspec.Struct, frozen=True, kw_only=True):
    """The joined rows of one file of a spine, under the digest of all they depend on."""

    data: str
    """Blob digest of the Parquet file."""
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRecipe:
    """What is read of a spine and joined to each of its rows."""

    time: str
    columns: Sequence[str]
    """The spine's columns that are kept."""
    labels: Mapping[str, Node]
    """Column name to the expression that computes it from the spine."""
    view_features: ViewFeatures
    views: Mapping[str, tuple[FeatureView, Any, str]]
    """Each joined view: its definition, the table of its source, that table's snapshot id."""
    keys: Mapping[str, Node] = field(default_factory=dict)
    """Keys of view features that are computed, to what computes them."""


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a snapshot, and between which times its rows lie."""

    digest: str
    rows: int
    path: Path
    span: Span


def joined_rows(
    spine: Any,
    *,
    snapshot: str | None,
    recipe: JoinRecipe,
    piece_bytes: int = PIECE_BYTES,
    engine: Engine,
    blobs: Blobs,
    ledger: Ledger,
) -> Iterator[pa.Table]:
    """Yield every row of the spine, in order: columns, labels, view features.

    A table at a time of about `piece_bytes` at most. `snapshot` is the id of the spine's snapshot.
    Where spine and views are files of recorded snapshots, only the spine's files that are not
    remembered are joined; None remembers nothing.
    """
    files = _files(spine, snapshot, recipe.time, blobs=blobs, ledger=ledger)
    sources = {
        name: _files(table, id_, view.event_time, blobs=blobs, ledger=ledger)
        for name, (view, table, id_) in recipe.views.items()
    }
    spine = _read_of(spine, recipe)
    types = _types(spine, recipe)
    rows = rows_at_once(spine, types, piece_bytes)
    if files is None or len(files) < 2 or None in sources.values():
        for piece in pieces_of(spine, rows):
            yield _join(piece.table, recipe, {}, engine=engine)
        return
    known = {name: each for name, each in sources.items() if each is not None}
    memory = _Memory(recipe, known, rows=rows, engine=engine, blobs=blobs, ledger=ledger)
    kept = memory.remembered(files)
    missing = [file for file in files if file.digest not in kept]
    if missing:
        kept |= memory.join(spine, missing)
    paths = tuple(blobs.local_path(kept[file.digest]) for file in files)
    for piece in pieces_of(FileTable(paths=paths, columns=types), rows):
        yield engine.scan(piece.table)


class _Memory:
    """Finds and adds the joined files of one recipe over some files of its views."""

    def __init__(
        self,
        recipe: JoinRecipe,
        sources: Mapping[str, list[_File]],
        *,
        rows: int,
        engine: Engine,
        blobs: Blobs,
        ledger: Ledger,
    ) -> None:
        self._recipe = recipe
        self._sources = sources
        self._rows = rows
        self._described = _described(recipe, engine)
        self._engine = engine
        self._blobs = blobs
        self._ledger = ledger

    def remembered(self, files: Sequence[_File]) -> dict[str, str]:
        """Return the blob of the joined rows of each spine file that has one."""
        found = {}
        for file in files:
            record = self._ledger.find(KIND, self._key(file))
            if record is not None and self._blobs.has(record.body["data"]):
                found[file.digest] = str(record.body["data"])
        return found

    def join(self, spine: FileTable, files: Sequence[_File]) -> dict[str, str]:
        """Join files of the spine, as many at once as fit, and keep each one's rows."""
        # A snapshot may hold the same file twice.
        files = list({file.digest: file for file in files}.values())
        joined = _Taken(self._joined(spine, files))
        kept = {
            file.digest: write_rows(
                joined.take(file.rows), blobs=self._blobs, compression="lz4"
            ).digest
            for file in files
        }
        # What is forgotten in a power failure is joined again.
        with self._ledger.transaction(durable=False):
            for file in files:
                self._record(self._key(file), JoinedFile(data=kept[file.digest], rows=file.rows))
        return kept

    def _joined(self, spine: FileTable, files: Sequence[_File]) -> Iterator[pa.Table]:
        of_path = {file.path: file for file in files}
        part = FileTable(paths=tuple(of_path), columns=spine.columns)
        for piece in pieces_of(part, self._rows):
            tables = self._tables([of_path[path] for path in piece.paths])
            yield _join(piece.table, self._recipe, tables, engine=self._engine)

    def _record(self, key: str, joined: JoinedFile) -> None:
        # A record whose blob was lost stays: the rows are the same, their bytes may not be.
        if self._ledger.find(KIND, key) is None:
            self._ledger.put(KIND, key, joined)

    def _tables(self, files: Sequence[_File]) -> dict[str, FileTable]:
        """Return each view's table without the files that matter to none of `files`."""
        wanted = [self._mattering(file) for file in files]
        tables = {}
        for name, sources in self._sources.items():
            digests = {each.digest for found in wanted for each in found[name]}
            paths = tuple(each.path for each in sources if each.digest in digests)
            tables[name] = FileTable(paths=paths, columns=self._recipe.views[name][1].columns)
        return tables

    def _key(self, file: _File) -> str:
        views = {
            name: [each.digest for each in found] for name, found in self._mattering(file).items()
        }
        return digest({**self._described, "spine": file.digest, "views": views})

    def _mattering(self, file: _File) -> dict[str, list[_File]]:
        """Return of each view the files that can say something of this file's rows."""
        mattering = {}
        for name, sources in self._sources.items():
            view = self._recipe.views[name][0]
            reach = reach_us(view)
            timed = view.event_time is not None
            mattering[name] = [
                each for each in sources if not timed or each.span.matters_to(file.span, reach)
            ]
        return mattering


def _files(
    table: Any, snapshot: str | None, time: str | None, *, blobs: Blobs, ledger: Ledger
) -> list[_File] | None:
    """Return the files of a table; None where they are not those of the recorded snapshot."""
    if (
        not isinstance(table, FileTable)
        or snapshot is None
        or ledger.find("snapshot", snapshot) is None
    ):
        return None
    listed: tuple[SnapshotFile, ...] = recorded_snapshot(snapshot, ledger=ledger).files
    if tuple(blobs.local_path(file.digest) for file in listed) != table.paths:
        return None
    return [
        _File(file.digest, file.rows, path, span_of(path, time))
        for file, path in zip(listed, table.paths, strict=True)
    ]


def _described(recipe: JoinRecipe, engine: Engine) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "language": LANGUAGE_VERSION,
        "engine": engine.name,
        "time": recipe.time,
        "columns": list(recipe.columns),
        "labels": msgspec.to_builtins(dict(recipe.labels)),
        "view_features": [list(each) for each in recipe.view_features],
        **({"keys": msgspec.to_builtins(dict(recipe.keys))} if recipe.keys else {}),
        "definitions": {name: view.digest for name, (view, _, _) in recipe.views.items()},
    }


def _join(
    spine: Any, recipe: JoinRecipe, tables: Mapping[str, FileTable], *, engine: Engine
) -> pa.Table:
    """Join in one go; `tables` takes the place of the views' own."""
    rows = engine.evaluate(recipe.labels, spine, keep=recipe.columns)
    return join_views(
        rows,
        time=recipe.time,
        view_features=recipe.view_features,
        views={
            name: (view, tables.get(name, table)) for name, (view, table, _) in recipe.views.items()
        },
        engine=engine,
        keys=recipe.keys,
    )


def _read_of(spine: Any, recipe: JoinRecipe) -> Any:
    """Return the spine without the columns that nothing reads."""
    names = dict.fromkeys(recipe.columns)
    for node in recipe.labels.values():
        names |= dict.fromkeys(sorted(columns_of(node)))
    if isinstance(spine, FileTable):
        return FileTable(paths=spine.paths, columns={name: spine.columns[name] for name in names})
    return spine.select(list(names))


def _types(spine: Any, recipe: JoinRecipe) -> dict[str, str]:
    stored = spine.columns if isinstance(spine, FileTable) else stored_types(spine)
    types = {name: stored[name] for name in recipe.columns}
    types |= {name: node.type for name, node in recipe.labels.items()}
    for canonical, view, feature, _ in recipe.view_features:
        types[canonical] = recipe.views[view][0].types[feature]
    return types


class _Taken:
    """Tables in a row, handed out by numbers of rows."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables = tables
        self._rest = next(tables)

    def take(self, rows: int) -> Iterator[pa.Table]:
        """Yield the next `rows` rows as one table or more."""
        yield self._rest.slice(0, 0)
        while rows:
            if not self._rest.num_rows:
                self._rest = next(self._tables)
            part = self._rest.slice(0, rows)
            self._rest = self._rest.slice(part.num_rows)
            rows -= part.num_rows
            yield part
