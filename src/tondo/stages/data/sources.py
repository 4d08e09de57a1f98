"""Reading sources: files and databases become tables of column types, whole or not at all."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError, DataError, DefinitionError, NotFoundError, near
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.conform import conform
from tondo.stages.data.database_sources import read_database
from tondo.stages.data.definitions import check_columns, time_columns
from tondo.stages.data.file_kinds import is_there, shown
from tondo.stages.data.files import read_csv, read_json_lines, read_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tondo.ports.databases import Databases
    from tondo.ports.engine import Engine
    from tondo.ports.objects import Objects
    from tondo.stages.data.definitions import Format, SourceDefinition

_PACKAGE = "package://"
_FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".zip": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
}
_SHOWN = {"parquet": "Parquet", "jsonl": "JSON lines"}


def read_source(
    definition: SourceDefinition,
    *,
    base: Path,
    engine: Engine | None = None,  # noqa: ARG001  (readers of other engines will want it)
    objects: Objects | None = None,
    databases: Databases | None = None,
) -> pa.Table:
    """Return the source's rows in the order of its files, in column types.

    `base` is the folder that relative paths start from. Errors: TD-DATA-002 (no such file), -003
    (unreadable), -004 (a value does not fit), -005 (time without zone), -006 (a named column is
    missing), -007 (no column type), -008 (files that differ), -010 (column names), -012 (no path
    or unknown format), -025 and -026 (a database), -027 (it changed meanwhile), -028 (a store),
    -040 to -046 (an open quote, another separator, too much unpacked, no file, a key that stands
    twice, a row too long, no delimiter).
    """
    return whole(read_pieces(definition, base=base, objects=objects, databases=databases))


def whole(pieces: Iterator[pa.Table]) -> pa.Table:
    """Return the pieces of a source as one table."""
    import pyarrow as pa

    return pa.concat_tables(pieces)


def read_pieces(
    definition: SourceDefinition,
    *,
    base: Path,
    objects: Objects | None = None,
    databases: Databases | None = None,
) -> Iterator[pa.Table]:
    """Yield the source's rows a file, or a range of a database's keys, at a time.

    Files that were changed, added or taken away meanwhile end it with TD-DATA-027 after the
    last piece, so that what was read so far must not be kept. Errors: as `read_source`.
    """
    if definition.url is not None:
        yield from read_database(definition, base=base, databases=databases)
    elif definition.path is not None and is_object_url(definition.path):
        yield from _of_one_kind(_read_objects(definition, objects), definition)
    else:
        yield from _of_one_kind(_read_files(definition, base=base), definition)


def _read_files(definition: SourceDefinition, *, base: Path) -> Iterator[tuple[str, pa.Table]]:
    before = file_marks(definition, base=base)
    for path in before:
        try:
            table = _read_file(path, definition)
        except DataError:
            # A file that somebody is writing looks damaged.
            _refuse_other_files(definition, before, base=base)
            raise
        yield str(path), table
    _refuse_other_files(definition, before, base=base)


def _refuse_other_files(
    definition: SourceDefinition, before: dict[Path, tuple[int, int, int]], *, base: Path
) -> None:
    try:
        after = file_marks(definition, base=base)
    except NotFoundError:
        after = {}
    refuse_change(definition.name, before, after)


def file_marks(definition: SourceDefinition, *, base: Path) -> dict[Path, tuple[int, int, int]]:
    """Return what shows that a file is another: its size, when it was written, and its inode."""
    found = {}
    for path in find_files(definition, base=base):
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            found[path] = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
    return found


def _read_objects(
    definition: SourceDefinition, objects: Objects | None
) -> Iterator[tuple[str, pa.Table]]:
    if objects is None or definition.path is None:
        raise DefinitionError(
            "TD-DATA-012",
            f"source '{definition.name}' reads an object store, which is not opened here",
            expected="a path of this machine, or a workspace that opens object stores",
            source=definition.name,
        )
    before = {each.url: each for each in objects.find(definition.path)}
    if not before:
        raise NotFoundError(
            "TD-DATA-002",
            f"source '{definition.name}': there is no object {definition.path}",
            expected="at least one object of that name",
            fix="Correct the path; a prefix ends in a slash.",
            path=definition.path,
        )
    for url, entry in before.items():
        with tempfile.TemporaryDirectory(prefix="tondo-") as folder:
            copy = Path(folder) / url.rpartition("/")[2]
            objects.fetch(entry, copy)
            yield url, _read_file(copy, definition)
    after = {each.url: each for each in objects.find(definition.path)}
    refuse_change(definition.name, before, after)


def _of_one_kind(
    tables: Iterator[tuple[str, pa.Table]], definition: SourceDefinition
) -> Iterator[pa.Table]:
    first = None
    for where, table in tables:
        columns = stored_types(table)
        if first is None:
            first = (where, columns)
            check_columns(definition, columns)
        else:
            _check_same(first[1], columns, where=where, first=first[0])
        yield table


def is_object_url(path: str) -> bool:
    """Say whether a path lies in an object store.

    >>> is_object_url("s3://bucket/days/*.csv"), is_object_url("package://planes/planes.csv")
    (True, False)
    """
    return "://" in path and not path.startswith(_PACKAGE)


def refuse_change(source: str, before: dict[Any, Any], after: dict[Any, Any]) -> None:
    """Refuse what was read while its files changed (TD-DATA-027)."""
    if before == after:
        return
    names = sorted(str(each) for each in {*before, *after} if before.get(each) != after.get(each))
    raise DataError(
        "TD-DATA-027",
        f"source '{source}' changed while it was read: {', '.join(names[:5])}",
        expected="files that stay as they are until they are read",
        fix="Wait until they are written and commit again; nothing of it was kept.",
        files=names,
    )


def find_files(definition: SourceDefinition, *, base: Path) -> list[Path]:
    """Return the files a source names, sorted by name (TD-DATA-002, TD-DATA-012)."""
    if definition.path is None:
        raise DefinitionError(
            "TD-DATA-012",
            f"source '{definition.name}' has no path to read",
            expected="a `path:`, or rows handed to the source",
            source=definition.name,
        )
    if definition.path.startswith(_PACKAGE):
        return [_inside_package(definition.path, definition.name)]
    path = base / Path(definition.path).expanduser()
    found = [path]
    # A file may have such a sign in its own name.
    if any(sign in definition.path for sign in "*?[") and not os.path.lexists(path):
        found = sorted(path.parent.glob(path.name))
    files = [each for each in found if is_there(each, definition.name)]
    if files:
        return files
    raise _missing(definition.name, path)


def _missing(name: str, path: Path) -> NotFoundError:
    try:
        siblings = [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):
        siblings = []
    return NotFoundError(
        "TD-DATA-002",
        f"source '{name}': there is no file {path}",
        expected=f"a file in {path.parent}",
        fix=near(path.name, siblings) if siblings else "Correct the path.",
        path=str(path),
    )


def _inside_package(path: str, name: str) -> Path:
    """Locate a data file of an installed package without importing the package."""
    package, _, inner = path.removeprefix(_PACKAGE).partition("/")
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    roots = list(found.submodule_search_locations or []) if found else []
    for root in roots:
        file = Path(root) / inner
        if file.is_file() and file.resolve().is_relative_to(Path(root).resolve()):
            return file
    raise NotFoundError(
        "TD-DATA-002",
        f"source '{name}': there is no {inner} in the installed package '{package}'",
        expected="an installed package that holds the file"
        + (f"; searched {', '.join(roots)}" if roots else ""),
        fix=f"Run: pip install {package}",
        path=path,
    )


def _read_file(path: Path, definition: SourceDefinition) -> pa.Table:
    where = f"source '{definition.name}' ({shown(path)})"
    limit_mb = definition.expanded_mb
    form = definition.format or format_of(path)
    times = dict.fromkeys(time_columns(definition), "timestamp")
    if form == "csv":
        return read_csv(
            path,
            declared=times | definition.columns,
            null_values=definition.null_values,
            zone=definition.zone,
            where=where,
            limit_mb=limit_mb,
            delimiter=definition.delimiter,
        )
    if definition.delimiter is not None:
        raise DefinitionError(
            "TD-DATA-046",
            f"{where} is {_SHOWN[form]}, whose cells nothing parts",
            expected="a delimiter for CSV alone",
            fix="Leave the delimiter out, or say `format: csv` when it is one.",
        )
    if form == "parquet":
        table = read_parquet(path, where, limit_mb=limit_mb)
    else:
        named = {*times, *definition.columns}
        table = read_json_lines(path, declared=named, where=where, limit_mb=limit_mb)
    present = {name: type_ for name, type_ in times.items() if name in table.column_names}
    return conform(table, present | definition.columns, zone=definition.zone, where=where)


def format_of(path: Path) -> Format:
    """Return the format that a file's name tells (TD-DATA-012 when it tells none)."""
    for suffix, form in _FORMATS.items():
        if path.name.lower().endswith(suffix):
            return form
    raise DefinitionError(
        "TD-DATA-012",
        f"the format of {path.name} is not known",
        expected="a name ending in one of " + ", ".join(_FORMATS),
        fix="Write `format: csv`, `parquet` or `jsonl` in the source.",
        path=str(path),
    )


def _check_same(
    first_columns: dict[str, str], columns: dict[str, str], *, where: str, first: str
) -> None:
    if columns == first_columns:
        return
    differing = sorted(
        name for name in {*columns, *first_columns} if columns.get(name) != first_columns.get(name)
    )
    raise CallerError(
        "TD-DATA-008",
        f"{where} differs from {first} in {', '.join(differing)}",
        expected="the same columns, types and order in every file of a source",
        fix="Declare the types under `columns:`, or make two sources of them.",
        columns=differing,
    )
