"""The specification: one tree on one row, slow and plain. Everything else is held to this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.columns import item_type
from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, Column, Literal, Node, ViewFeature
from tondo.language.values import READERS, finite
from tondo.language.walk import expand_fitted

if TYPE_CHECKING:
    from collections.abc import Mapping


def evaluate(node: Node, row: Mapping[str, Any]) -> Any:
    """Return the value of a checked tree on `row`; a column that is not there is null.

    >>> from tondo.language.check import check
    >>> from tondo.language.parse import parse
    >>> evaluate(check(parse("x / 2"), {"x": "double"}), {"x": 3.0})
    1.5
    """
    return finite(_value(expand_fitted(node), row))


def _value(node: Node, row: Mapping[str, Any]) -> Any:
    if isinstance(node, Literal):
        return literal_value(node)
    if isinstance(node, Column | ViewFeature):
        return column_value(node, row)
    assert isinstance(node, Call)
    arguments = [_value(each, row) for each in node.arguments]
    function = FUNCTIONS[node.function]
    if function.nulls == "strict" and None in arguments:
        return None
    return function.kernel(*arguments)


def column_value(node: Column | ViewFeature, row: Mapping[str, Any]) -> Any:
    """Return what a row holds of a column, or of a view's feature under its name."""
    if isinstance(node, Column):
        return READERS[node.type](row.get(node.name), node.name)
    name = f"@{node.view}.{node.feature}[{node.key or ''}]"
    return READERS[node.type](row.get(name), name)


def literal_value(node: Literal) -> Any:
    """Return the constant; a double is a float even where JSON dropped its point."""
    if isinstance(node.value, tuple):
        return [literal_value(Literal(each, item_type(node.type) or "")) for each in node.value]
    if node.type == "double" and node.value is not None:
        return float(node.value)
    return node.value
