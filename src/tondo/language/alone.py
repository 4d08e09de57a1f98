"""Expressions without a project: what can be checked and computed with nothing but columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import msgspec

from tondo.core.errors import DefinitionError
from tondo.language.check import check, check_window
from tondo.language.lexer import caret_line
from tondo.language.parse import parse, parse_window, spans_of
from tondo.language.tree import Fitted, Node, ViewFeature, WindowCall, nodes_of
from tondo.language.walk import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExpressionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a checked expression is."""

    type: str
    """Column type of its values."""
    columns: tuple[str, ...]
    """Columns that it reads, sorted."""
    fitted: tuple[str, ...] = ()
    """Fitted functions in it: their parameters are learned in training."""
    window: str = ""
    """The window function that it is, empty for an expression on a row."""


def check_alone(text: str, columns: Mapping[str, str]) -> Node:
    """Return the typed tree of an expression that needs nothing but its row.

    :raises DefinitionError: TD-LANG-001 to 006, -013; TD-LANG-040 for a fitted function, a window
        and a view's feature.
    """
    window = _window(text)
    if window is not None:
        _refuse(text, f"'{window.function}' over a window needs a feature view's events")
    node = _without_views(text)
    fitted = _first_fitted(node)
    if fitted is not None:
        _refuse(text, f"'{fitted.function}' learns from training rows", fitted)
    return check(node, columns, text=text)


def describe(text: str, columns: Mapping[str, str]) -> ExpressionFacts:
    """Return the type of an expression and what it reads; windows and fitted functions too.

    :raises DefinitionError: TD-LANG-001 to 007, -013; TD-LANG-040 for a view's feature.
    """
    window = _window(text)
    if window is not None:
        call = check_window(window, columns, text=text)
        read = () if call.argument is None else tuple(sorted(columns_of(call.argument)))
        return ExpressionFacts(type=call.type, columns=read, window=call.function)
    node = check(_without_views(text), columns, text=text)
    return ExpressionFacts(
        type=node.type,
        columns=tuple(sorted(columns_of(node))),
        fitted=tuple(each.function for each in nodes_of(node) if isinstance(each, Fitted)),
    )


def _window(text: str) -> WindowCall | None:
    """Return the window call that a text is, None when it is an expression on a row."""
    try:
        parse(text)
    except DefinitionError:
        try:
            return parse_window(text)
        except DefinitionError:
            return None
    return None


def _without_views(text: str) -> Node:
    node = parse(text)
    for each in nodes_of(node):
        if isinstance(each, ViewFeature):
            what = f"'@{each.view}.{each.feature}' is looked up in a project's feature views"
            _refuse(text, what, each)
    return node


def _first_fitted(node: Node) -> Fitted | None:
    return next((each for each in nodes_of(node) if isinstance(each, Fitted)), None)


def _refuse(text: str, what: str, node: Node | None = None) -> NoReturn:
    places = [(start, end) for each, start, end in spans_of(text) if each == node] if node else []
    fix = "Compute it in a project, or give its value as a column."
    if places:
        fix += "\nAt:\n" + caret_line(text, *places[0])
    raise DefinitionError("TD-LANG-040", what, expected="functions of the row alone", fix=fix)
