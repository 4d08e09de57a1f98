"""`F("...")`: an expression as a value in Python; underneath it is its text and nothing else."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from tondo.core.errors import DefinitionError, near
from tondo.core.instants import format_instant, to_micros
from tondo.language.check import check, check_window
from tondo.language.parse import parse, parse_window
from tondo.language.tree import Call, Fitted, Node, ViewFeature, WindowCall, nodes_of
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_OVER = re.compile(r"\bover\b", re.IGNORECASE)
_PLACE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")+\"|\{(\w+)\}")


class F(str):
    """An expression of the feature language, not bound to any columns yet.

    It is text, so it may stand wherever an expression may; its syntax is checked at once
    (TD-LANG-001 with a caret, TD-LANG-002 for an unknown function). `{name}` in the text is filled
    from `parts`: another `F` goes in within parentheses; a string, number, truth value, None, date
    or aware datetime goes in as a constant (TD-LANG-032 otherwise).

    >>> speed = F("distance / nullif(minutes, 0) * 60")
    >>> F("case when {speed} > {limit} then {word} end", speed=speed, limit=500, word="it's fast")
    F("case when (distance / nullif(minutes, 0) * 60) > 500 then 'it''s fast' end")
    >>> speed.columns, speed.functions
    (('distance', 'minutes'), ('divide', 'multiply', 'nullif'))
    """

    __slots__ = ()

    def __new__(cls, text: str, /, **parts: Any) -> Self:
        """Fill in the parts and check the syntax."""
        filled = _filled(str(text), parts) if parts else str(text)
        _parsed(filled)
        return super().__new__(cls, filled)

    def __repr__(self) -> str:
        """Show it as it is written."""
        quote = '"' if '"' not in self else "'"
        plain = str(self)
        return f"F({quote}{plain}{quote})" if _is_plain(plain, quote) else f"F({plain!r})"

    @property
    def tree(self) -> Node | WindowCall:
        """The tree, its types not settled."""
        return _parsed(str(self))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads, sorted."""
        return tuple(sorted({name for each in _roots(self.tree) for name in columns_of(each)}))

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions in it, operators included, sorted."""
        tree = self.tree
        found = {tree.function} if isinstance(tree, WindowCall) else set()
        for root in _roots(tree):
            found |= {each.function for each in nodes_of(root) if isinstance(each, Call | Fitted)}
        return tuple(sorted(found))

    @property
    def view_features(self) -> tuple[str, ...]:
        """The features of views that it looks up, as `@view.feature`, sorted."""
        found = {
            f"@{each.view}.{each.feature}"
            for root in _roots(self.tree)
            for each in nodes_of(root)
            if isinstance(each, ViewFeature)
        }
        return tuple(sorted(found))

    def type_over(self, columns: Mapping[str, str]) -> str:
        """Return the column type of its values over columns of these types.

        Errors: TD-LANG-003 to 007 with a caret.

        >>> F("x / 2").type_over({"x": "double"})
        'double'
        """
        tree = self.tree
        if isinstance(tree, WindowCall):
            return check_window(tree, columns, text=str(self)).type
        return check(tree, columns, text=str(self)).type


def _is_plain(text: str, quote: str) -> bool:
    return text.isprintable() and "\\" not in text and quote not in text


def _roots(tree: Node | WindowCall) -> list[Node]:
    if not isinstance(tree, WindowCall):
        return [tree]
    return [each for each in (tree.argument, tree.divisor) if each is not None]


def _parsed(text: str) -> Node | WindowCall:
    try:
        return parse(text)
    except DefinitionError:
        if _OVER.search(text) is None:
            raise
    return parse_window(text)


def _filled(text: str, parts: Mapping[str, Any]) -> str:
    used = {each[1] for each in _PLACE.finditer(text) if each[1]}
    for name in sorted(used ^ set(parts)):
        given = name in parts
        raise DefinitionError(
            "TD-LANG-032",
            f"'{name}' is given, but {{{name}}} is nowhere in the text"
            if given
            else f"the text names {{{name}}}, which is not given",
            expected="one keyword argument for each {name} in the text",
            fix=near(name, used if given else parts),
        )
    return _PLACE.sub(lambda found: _part(parts[found[1]]) if found[1] else found[0], text)


def _part(value: Any) -> str:
    if isinstance(value, F):
        return f"({value})"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    if isinstance(value, int | float) and math.isfinite(value):
        return f"({value!r})" if value < 0 else repr(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        instant = format_instant(to_micros(value)).rstrip("Z").replace("T", " ")
        return f"timestamp '{instant}'"
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"date '{value.isoformat()}'"
    raise DefinitionError(
        "TD-LANG-032",
        f"{value!r} ({type(value).__name__}) has no constant in the language",
        expected="an F, a string, a finite number, true, false, None, a date or an aware datetime",
    )
