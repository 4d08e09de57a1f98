"""Whether the keys of a source that reads a database go together, and keep its secrets out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tondo.core.errors import DefinitionError

if TYPE_CHECKING:
    from tondo.stages.data.definitions import SourceDefinition

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)


def check_database(definition: SourceDefinition, *, origin: str) -> None:
    """Refuse keys that do not go together (TD-DATA-024) and secrets in a URL (TD-DATA-025)."""
    what = _fault(definition)
    if what:
        raise DefinitionError(
            "TD-DATA-024",
            f"{origin}: source '{definition.name}' {what}",
            expected="`path:` for files; `url:` and one of `table:` and `query:` for a database, "
            "and with `chunk_rows:` a `key:`",
            source=definition.name,
        )
    if definition.url is not None and not _is_free_of_secrets(definition.url):
        # The address is not repeated: the secret is in it.
        raise DefinitionError(
            "TD-DATA-025",
            f"{origin}: the url of source '{definition.name}' holds a secret",
            expected="secrets as variables of the environment",
            fix="Write ${NAME} in its place and set NAME where tondo runs.",
            source=definition.name,
        )


def _fault(definition: SourceDefinition) -> str:
    """Return what does not go together, or the empty text."""
    if definition.url is None:
        lone = [each for each in ("table", "query", "chunk_rows") if getattr(definition, each)]
        return f"has `{lone[0]}:` and no `url:`" if lone else ""
    if any((definition.path, definition.format, definition.delimiter)):
        return "has `url:` beside `path:`, `format:` or `delimiter:`"
    if (definition.table is None) == (definition.query is None):
        return "needs exactly one of `table:` and `query:`"
    if definition.chunk_rows is None:
        return ""
    if definition.chunk_rows < 1:
        return f"has `chunk_rows: {definition.chunk_rows}`"
    return "" if definition.key else "has `chunk_rows:` and no `key:` to cut ranges of"


def _is_free_of_secrets(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = [value for name, value in parse_qsl(parts.query) if _SECRET.search(name)]
        found = [*named, parts.password or ""]
    except ValueError:
        return False
    return all(not each or _VARIABLE.fullmatch(each) for each in found)
