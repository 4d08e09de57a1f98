"""Definition files: YAML documents that each define one thing, with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DefinitionError, near, placed
from tondo.core.names import check_name

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_KEYS = ("project", "owner", "description", "settings", "uses")
KINDS = ("project", "source", "dataset", "entity", "view", "model", "retraining", "deployment")
_MAPPINGS = {
    "settings": "settings by name, such as `settings: {web_port: 8460}`",
    "uses": "folders of projects and names of their views, such as `uses: {../flights: [weather]}`",
}
_SKIPPED = {".tondo", ".git", ".venv", "node_modules"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a definition stands, for error messages."""

    file: str
    line: int

    def __str__(self) -> str:
        """`models.yaml:12`."""
        return f"{self.file}:{self.line}"


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One YAML document: its kind, its name, its body and its place."""

    kind: str
    name: str
    body: dict[str, Any]
    """The whole document, the kind's own key included."""
    place: Place


def written_in(root: Path) -> list[Definition]:
    """Return what the YAML files under `root` define; the first fault names file and line."""
    return [
        definition
        for path in sorted(_yaml_files(root))
        for definition in _read_file(path, shown=str(path.relative_to(root)))
    ]


def _yaml_files(root: Path) -> list[Path]:
    found: list[Path] = []
    for pattern in ("*.yaml", "*.yml", "*/*.yaml", "*/*.yml"):
        found.extend(
            path for path in root.glob(pattern) if not _SKIPPED & set(path.relative_to(root).parts)
        )
    return found


def _read_file(path: Path, *, shown: str) -> list[Definition]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(
            "TD-PROJECT-001",
            f"{shown} cannot be read: {error}",
            expected="a YAML file in UTF-8",
            file=shown,
        ) from None
    try:
        nodes = list(yaml.compose_all(text, yaml.SafeLoader))
        written = [node for node in nodes if node is not None and not _is_schema(node)]
        return [_definition(node, shown) for node in written]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _not_yaml(shown, line, error.problem or "not YAML") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _not_yaml(shown, line, f"the character {error.character!r}") from None


def _not_yaml(shown: str, line: int, what: str) -> DefinitionError:
    return DefinitionError(
        "TD-PROJECT-001",
        f"{shown}:{line}: {what}",
        expected="YAML",
        fix="Check the indentation and the quotes on that line.",
        file=shown,
        line=line,
    )


def _is_schema(node: Any) -> bool:
    """Tell whether a document is a dataset's schema: such a file defines nothing by itself."""
    pairs = node.value if isinstance(node.value, list) else ()
    keys = [pair[0].value for pair in pairs if isinstance(pair, tuple)]
    return keys[:1] == ["schema"] and not set(keys) & set(KINDS)


def _definition(node: Any, shown: str) -> Definition:
    import yaml

    place = Place(file=shown, line=node.start_mark.line + 1)
    _check_keys(node, shown, ())
    body = yaml.constructor.SafeConstructor().construct_document(node)
    kinds = [each for each in KINDS if isinstance(body, dict) and each in body]
    first = next(iter(body), None) if isinstance(body, dict) else None
    if not kinds or first not in KINDS:
        raise DefinitionError(
            "TD-PROJECT-002",
            f"{place}: the document does not say what it defines",
            expected="a first key that is one of " + ", ".join(KINDS),
            fix=near(str(first), KINDS),
            place=str(place),
        )
    if first == "project":
        _check_project(body, place)
    with placed(str(place)):
        name = check_name(body[first], first)
    return Definition(kind=first, name=name, body=body, place=place)


def _check_project(body: dict[str, Any], place: Place) -> None:
    for key in body:
        if key not in PROJECT_KEYS:
            raise DefinitionError(
                "TD-PROJECT-005",
                f"{place}: '{key}' is not a key here",
                expected="keys among " + ", ".join(PROJECT_KEYS),
                fix=near(str(key), PROJECT_KEYS),
                place=str(place),
            )
    for key, written in _MAPPINGS.items():
        if not isinstance(body.get(key) or {}, dict):
            raise DefinitionError(
                "TD-PROJECT-005",
                f"{place}: `{key}` is no mapping",
                expected=written,
                fix="Correct that key.",
                place=str(place),
            )


def _check_keys(node: Any, shown: str, above: tuple[Any, ...]) -> None:
    """Refuse keys that stand twice or are no text, and a node that stands within itself."""
    import yaml

    line = node.start_mark.line + 1
    if node in above:
        raise _not_yaml(shown, line, "an anchor stands within what it names")
    within = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_keys(each, shown, within)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _not_yaml(shown, at, "a key is a list or a mapping")
        if key.value in seen:
            raise DefinitionError(
                "TD-PROJECT-001",
                f"{shown}:{at}: the key '{key.value}' stands twice",
                expected="each key once",
                fix="Remove one of the two.",
                file=shown,
                line=at,
            )
        seen.add(key.value)
        _check_keys(value, shown, within)
