"""Python formulas of the plainest functions, so that rows call no kernel for them.

A formula is built from numbered names only. For a strict function it may assume no nulls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Names = Sequence[str]


def _joined(operator: str) -> Callable[[Names], str]:
    return lambda names: f"{names[0]} {operator} {names[1]}"


def _case(names: Names) -> str:
    last = names[-1] if len(names) % 2 else "None"
    pairs = zip(names[0 : len(names) - 1 : 2], names[1::2], strict=True)
    return "".join(f"{value} if {condition} is True else " for condition, value in pairs) + last


def _coalesce(names: Names) -> str:
    return "".join(f"{each} if {each} is not None else " for each in names[:-1]) + names[-1]


def _and(names: Names) -> str:
    a, b = names
    unknown = f"None if {a} is None or {b} is None"
    return f"False if {a} is False or {b} is False else {unknown} else True"


def _or(names: Names) -> str:
    a, b = names
    unknown = f"None if {a} is None or {b} is None"
    return f"True if {a} is True or {b} is True else {unknown} else False"


def _clip(names: Names) -> str:
    x, low, high = names
    return f"{low} if {x} < {low} else {high} if {x} > {high} else {x}"


INLINE: dict[str, Callable[[Names], str]] = {
    "add": _joined("+"),
    "subtract": _joined("-"),
    "multiply": _joined("*"),
    "divide": _joined("/"),
    "negate": lambda names: f"-{names[0]}",
    "equal": _joined("=="),
    "not_equal": _joined("!="),
    "less": _joined("<"),
    "less_equal": _joined("<="),
    "greater": _joined(">"),
    "greater_equal": _joined(">="),
    "not": lambda names: f"not {names[0]}",
    "and": _and,
    "or": _or,
    "is_null": lambda names: f"{names[0]} is None",
    "is_true": lambda names: f"{names[0]} is True",
    "is_false": lambda names: f"{names[0]} is False",
    "is_distinct": _joined("!="),
    "case": _case,
    "coalesce": _coalesce,
    "nullif": lambda names: f"None if {names[0]} == {names[1]} else {names[0]}",
    "clip": _clip,
    "concat": " + ".join,
}

NAN_PASSERS = frozenset({"add", "subtract", "multiply", "divide", "negate"})
"""NaN may stand for null in their arguments: what they make of it is NaN again."""

NAN_MAKERS = frozenset({"add", "subtract", "multiply", "divide"})
"""They can make NaN of two infinities, or of zero and an infinity."""

NEVER_NULL = frozenset({"is_null", "is_true", "is_false", "is_distinct"})
