"""A project: a folder of YAML files whose documents each define one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError, near
from tondo.workspace.definition_files import Definition, Place, written_in
from tondo.workspace.used_views import used_definitions

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Definition", "Place", "Project", "load_project"]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """All definitions of a folder, by kind and name."""

    root: str
    name: str
    definitions: tuple[Definition, ...] = ()

    def of(self, kind: str) -> dict[str, Definition]:
        """Return the definitions of one kind by name."""
        return {each.name: each for each in self.definitions if each.kind == kind}

    def get(self, kind: str, name: str) -> Definition:
        """Return one definition; TD-PROJECT-004 lists the names that there are."""
        found = self.of(kind)
        if name in found:
            return found[name]
        raise DefinitionError(
            "TD-PROJECT-004",
            f"no {kind} '{name}' is defined in {self.root}",
            fix=near(name, found),
            kind=kind,
            name=name,
        )


def load_project(root: Path) -> Project:
    """Read every YAML file under `root`; the first fault names file, line and cure.

    Views that the project `uses` of other projects are among its definitions, with what they
    need.
    """
    written = written_in(root)
    definitions = [*written, *used_definitions(root, written)]
    seen: dict[tuple[str, str], Place] = {}
    for definition in definitions:
        key = (definition.kind, definition.name)
        if key in seen:
            raise DefinitionError(
                "TD-PROJECT-003",
                f"{definition.kind} '{definition.name}' is defined twice: "
                f"{seen[key]} and {definition.place}",
                fix="Remove or rename one of them.",
                place=str(definition.place),
            )
        seen[key] = definition.place
    named = [each.name for each in written if each.kind == "project"]
    return Project(
        root=str(root),
        name=named[0] if named else _folder_name(root),
        definitions=tuple(definitions),
    )


def _folder_name(root: Path) -> str:
    letters = "".join(each if each.isalnum() else "_" for each in root.resolve().name)
    return letters if letters[:1].isalpha() else f"project_{letters}"
