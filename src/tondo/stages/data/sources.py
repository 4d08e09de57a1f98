"""Reading sources: CSV, Parquet and JSON lines become tables of column types."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, DefinitionError, NotFoundError, near
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.conform import conform
from tondo.stages.data.definitions import check_columns, time_columns
from tondo.stages.data.files import read_csv, read_json_lines, read_parquet

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.ports.engine import Engine
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


def read_source(
    definition: SourceDefinition,
    *,
    base: Path,
    engine: Engine | None = None,  # noqa: ARG001  (readers of other engines will want it)
) -> pa.Table:
    """Return the source's rows in the order of its files, in column types.

    `base` is the folder that relative paths start from. Errors: TD-DATA-002 (no such file), -003
    (unreadable), -004 (a value does not fit), -005 (time without zone), -006 (a named column is
    missing), -007 (no column type), -010 (column names), -012 (no path or unknown format).
    """
    import pyarrow as pa

    paths = find_files(definition, base=base)
    tables = [_read_file(path, definition) for path in paths]
    columns = stored_types(tables[0])
    for path, table in zip(paths[1:], tables[1:], strict=True):
        _check_same(columns, stored_types(table), where=str(path), first=str(paths[0]))
    check_columns(definition, columns)
    return pa.concat_tables(tables)


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
    if any(sign in definition.path for sign in "*?["):
        found = sorted(path.parent.glob(path.name))
        if found:
            return found
    elif path.is_file():
        return [path]
    raise _missing(definition.name, path)


def _missing(name: str, path: Path) -> NotFoundError:
    siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
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
    where = f"source '{definition.name}' ({path.name})"
    form = definition.format or _format_of(path)
    times = dict.fromkeys(time_columns(definition), "timestamp")
    if form == "csv":
        return read_csv(
            path,
            declared=times | definition.columns,
            null_values=definition.null_values,
            zone=definition.zone,
            where=where,
        )
    if form == "parquet":
        table = read_parquet(path, where)
    else:
        table = read_json_lines(path, declared={*times, *definition.columns}, where=where)
    present = {name: type_ for name, type_ in times.items() if name in table.column_names}
    return conform(table, present | definition.columns, zone=definition.zone, where=where)


def _format_of(path: Path) -> Format:
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
