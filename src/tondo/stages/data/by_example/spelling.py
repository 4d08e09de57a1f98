"""Trees back to the text that people write: what `parse` reads again."""

from __future__ import annotations

from tondo.core.errors import DefinitionError
from tondo.core.instants import format_instant
from tondo.language.functions import FUNCTIONS
from tondo.language.parse import parse
from tondo.language.tree import Call, Column, Literal, Node
from tondo.language.values import DAY_US

_INFIX = {
    "equal": ("=", 1),
    "less": ("<", 1),
    "less_equal": ("<=", 1),
    "greater": (">", 1),
    "greater_equal": (">=", 1),
    "concat": ("||", 2),
    "add": ("+", 3),
    "subtract": ("-", 3),
    "multiply": ("*", 4),
    "divide": ("/", 4),
}
"""Function to its sign and how tightly it binds; all chain from the left."""


def spelled(node: Node) -> str:
    """Return the text of a tree that the search builds.

    >>> spelled(Call("divide", (Call("add", (Column("a"), Literal(1.0))), Literal(2.0))))
    '(a + 1) / 2'
    """
    return _written(node, 0)


def _written(node: Node, above: int) -> str:
    if isinstance(node, Literal):
        return _constant(node)
    if isinstance(node, Column):
        return _name(node.name)
    assert isinstance(node, Call)
    if node.function in _INFIX:
        sign, level = _INFIX[node.function]
        left, right = node.arguments
        # Comparisons do not chain, so both of their sides bind more tightly.
        text = f"{_written(left, level + (level == 1))} {sign} {_written(right, level + 1)}"
        return f"({text})" if level < above else text
    if node.function == "is_null":
        text = f"{_written(node.arguments[0], 2)} is null"
        return f"({text})" if above > 1 else text
    return _called(node)


def _called(node: Call) -> str:
    below = [_written(each, 0) for each in node.arguments]
    if node.function == "case":
        pairs = zip(below[0::2], below[1::2], strict=False)
        whens = [f"when {condition} then {value}" for condition, value in pairs]
        last = [f"else {below[-1]}"] if len(below) % 2 else []
        return " ".join(["case", *whens, *last, "end"])
    if node.function.startswith("cast_"):
        return FUNCTIONS[node.function].operator.replace("(x ", f"({below[0]} ")
    return f"{node.function}({', '.join(below)})"


def _constant(node: Literal) -> str:
    value = node.value
    if value is None:
        return "null"
    assert not isinstance(value, tuple)  # a program is searched among values that are no lists
    if node.type == "timestamp":
        return f"timestamp '{format_instant(int(value)).rstrip('Z').replace('T', ' ')}'"
    if node.type == "date":
        return f"date '{format_instant(int(value) * DAY_US)[:10]}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _name(name: str) -> str:
    try:
        plain = parse(name) == Column(name)
    except DefinitionError:
        plain = False
    quoted = name.replace('"', '""')
    return name if plain else f'"{quoted}"'
