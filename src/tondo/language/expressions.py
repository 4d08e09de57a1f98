"""Expressions and columns as people write them: a file of named expressions, a list of types."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

from tondo.core.columns import check_type
from tondo.core.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"""(?:"((?:[^"]|"")+)"|(\w[\w.\-]*))\s*=(?!=)\s*(.*)""", re.DOTALL)
_FORM = "`name = expression` a line, or a JSON object of name to expression"


def read_expressions(text: str) -> dict[str, str]:
    r"""Return name to expression, in the order of the file (TD-LANG-041 names the line).

    A line that begins with `#` or `--` is a comment. A name that is no word stands in double
    quotes. Text that begins with `{` is a JSON object.

    >>> read_expressions("# speed\nkmh = distance / hours\n")
    {'kmh': 'distance / hours'}
    """
    plain = text.removeprefix("\ufeff")
    found = _of_json(plain) if plain.lstrip().startswith("{") else _of_lines(plain)
    if not found:
        raise _unreadable("there is no expression in it")
    return found


def _of_lines(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    # Not splitlines: a text of an expression may hold other separators than line breaks.
    for number, line in enumerate(text.split("\n"), start=1):
        written = line.strip()
        if not written or written.startswith(("#", "--")):
            continue
        match = _LINE.fullmatch(written)
        if match is None or not match[3]:
            raise _unreadable(f"line {number} is no named expression: {written[:60]!r}")
        _add(found, match[2] or match[1].replace('""', '"'), match[3], f"line {number}")
    return found


def _of_json(text: str) -> dict[str, str]:
    pairs: list[tuple[str, Any]] = []

    def kept(found: list[tuple[str, Any]]) -> dict[str, Any]:
        # The outermost object is closed last.
        pairs[:] = found
        return dict(found)

    try:
        json.loads(text, object_pairs_hook=kept)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"its JSON cannot be read: {error}") from None
    found: dict[str, str] = {}
    for name, expression in pairs:
        if not isinstance(expression, str):
            shown = json.dumps(expression)[:60]
            raise _unreadable(f"'{name}' is {shown}, which is no expression's text")
        _add(found, name, expression, "the object")
    return found


def _add(found: dict[str, str], name: str, expression: str, where: str) -> None:
    if name in found:
        raise _unreadable(f"{where} names '{name}' a second time")
    found[name] = expression


def _unreadable(what: str) -> DefinitionError:
    return DefinitionError(
        "TD-LANG-041",
        f"the expressions cannot be read: {what}",
        expected=_FORM,
        fix="Write each name once.",
    )


def read_columns(text: str) -> dict[str, str]:
    """Return name to column type of `name:type,...`; a name may stand in double quotes.

    TD-LANG-042 where it has another form, TD-CORE-005 where a type is none.

    >>> read_columns('id:id, "the, delay":double')
    {'id': 'id', 'the, delay': 'double'}
    """
    found: dict[str, str] = {}
    for part in next(csv.reader([text], skipinitialspace=True), []):
        name, colon, type_ = part.strip().rpartition(":")
        if not colon or not name.strip():
            raise _no_columns(f"'{part.strip()}' is no column and type")
        if name.strip() in found:
            raise _no_columns(f"the column '{name.strip()}' stands twice")
        found[name.strip()] = type_.strip()
    return checked_columns(found)


def checked_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the columns when every type is one, else TD-CORE-005 with near names."""
    return {name: check_type(type_, where=f"column '{name}'") for name, type_ in columns.items()}


def _no_columns(what: str) -> DefinitionError:
    return DefinitionError(
        "TD-LANG-042",
        what,
        expected="name:type,... such as distance:double,origin:string",
        fix="Write each column once; a name with a comma stands in double quotes.",
    )
