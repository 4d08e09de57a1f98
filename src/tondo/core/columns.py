"""Column types: the seven that the language knows, and lists of them."""

from __future__ import annotations

import re
from typing import Final

from tondo.core.errors import DefinitionError, near

DOUBLE: Final = "double"
ID: Final = "id"
BOOL: Final = "bool"
STRING: Final = "string"
TIMESTAMP: Final = "timestamp"
DATE: Final = "date"
SCALARS: Final = (DOUBLE, ID, BOOL, STRING, TIMESTAMP, DATE)

LISTS: Final = tuple(f"list<{item}>" for item in SCALARS)

_LIST = re.compile(r"list<(\w+)>")


def check_type(text: str, *, where: str = "column") -> str:
    """Return `text` when it names a column type, else raise with near names.

    >>> check_type("list<double>")
    'list<double>'
    """
    found = _LIST.fullmatch(text)
    if text in SCALARS or (found is not None and found[1] in SCALARS):
        return text
    raise DefinitionError(
        "TD-CORE-005",
        f"'{text}' is not a type ({where})",
        expected="one of " + ", ".join(SCALARS) + ", or list<...> of one",
        fix=near(text, SCALARS),
        type=text,
    )


def item_type(list_type: str) -> str | None:
    """Return the type of the items, or None when `list_type` is not a list.

    >>> item_type("list<double>")
    'double'
    """
    found = _LIST.fullmatch(list_type)
    return found[1] if found else None
