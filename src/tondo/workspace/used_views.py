"""Feature views of other projects, used by name: one definition, whoever reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError, near
from tondo.workspace.definition_files import Definition, Place, written_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FILES = ("path", "python")
"""Keys of a source or dataset that name a file of its own project."""

Known = dict[tuple[str, str], Definition]


def used_definitions(root: Path, written: Sequence[Definition]) -> list[Definition]:
    """Return the views that a project uses of others, with their entities, sources and datasets.

    Paths in them are said from `root`. What two used projects share by its very file is one
    definition. TD-PROJECT-007 for a folder or a view that is not there.
    """
    found: dict[tuple[str, str, str], Definition] = {}
    for project in written:
        if project.kind != "project":
            continue
        for folder, names in (project.body.get("uses") or {}).items():
            for each in _used(root, str(folder), names, place=project.place):
                found.setdefault((each.kind, each.name, str(each.place)), each)
    return list(found.values())


def _used(root: Path, folder: str, names: object, *, place: Place) -> Iterator[Definition]:
    other = root / folder
    if not other.is_dir():
        raise _missing(place, f"there is no folder '{folder}'", "Write the path from this project.")
    known: Known = {(each.kind, each.name): each for each in written_in(other)}
    views = [name for kind, name in known if kind == "view"]
    if not isinstance(names, list):
        raise _missing(place, f"'{folder}' lists no views", f"Write `{folder}: [{views[:1]}]`.")
    needed: dict[tuple[str, str], Definition] = {}
    for name in names:
        if ("view", name) not in known:
            raise _missing(place, f"'{folder}' has no view '{name}'", near(str(name), views))
        _need(("view", name), known, needed)
    for definition in needed.values():
        yield _moved(definition, root, other, folder)


def _need(key: tuple[str, str], known: Known, needed: Known) -> None:
    """Add a definition and what it is made of; what is missing is told where it is used."""
    definition = known.get(key)
    if definition is None or key in needed:
        return
    needed[key] = definition
    body = definition.body
    if key[0] == "view":
        _need(("entity", str(body.get("entity"))), known, needed)
        inputs = [body.get("source")]
    else:
        inputs = list(body.get("inputs") or []) if key[0] == "dataset" else []
    for name in inputs:
        for kind in ("source", "dataset"):
            _need((kind, str(name)), known, needed)


def _moved(definition: Definition, root: Path, other: Path, folder: str) -> Definition:
    """Return a definition of another project as one of this: its files are where they were."""
    body = dict(definition.body)
    for key in _FILES:
        written = body.get(key)
        if isinstance(written, str) and "://" not in written and not Path(written).is_absolute():
            body[key] = os.path.relpath(other / written, root)
    place = Place(file=f"{folder}/{definition.place.file}", line=definition.place.line)
    return msgspec.structs.replace(definition, body=body, place=place)


def _missing(place: Place, what: str, fix: str) -> DefinitionError:
    return DefinitionError(
        "TD-PROJECT-007",
        f"{place}: `uses`: {what}",
        expected="folders of projects and names of their views: `uses: {../flights: [weather]}`",
        fix=fix,
        place=str(place),
    )
