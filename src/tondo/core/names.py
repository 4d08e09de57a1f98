"""Names of things that people name: models, views, datasets, projects, tags."""

from __future__ import annotations

import re

from tondo.core.errors import DefinitionError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def check_name(name: str, what: str) -> str:
    """Return `name` when it may name a `what`, else raise.

    A name never becomes a path with dots or slashes in it.

    >>> check_name("late_arrival", "model")
    'late_arrival'
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise DefinitionError(
        "TD-CORE-006",
        f"{name!r} cannot name a {what}",
        expected="a letter, then up to 63 letters, digits, '_' or '-'",
        name=str(name),
    )
