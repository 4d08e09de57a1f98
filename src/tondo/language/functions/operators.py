"""Arithmetic, comparison, three-valued logic and the handling of nulls."""

from __future__ import annotations

import math
from typing import Any

from tondo.language.functions.row import Function


def without_nan(value: float) -> float | None:
    """Return None for NaN: null is the only missing value."""
    return None if value != value else value  # noqa: PLR0124 - NaN is unequal to itself


def add(x: float, y: float) -> float | None:
    """Return x + y; inf + -inf is null."""
    return without_nan(x + y)


def subtract(x: float, y: float) -> float | None:
    """Return x - y; inf - inf is null."""
    return without_nan(x - y)


def multiply(x: float, y: float) -> float | None:
    """Return x * y; 0 * inf is null."""
    return without_nan(x * y)


def divide(x: float, y: float) -> float | None:
    """Return x / y, null for y = 0 and for inf / inf."""
    return None if y == 0.0 else without_nan(x / y)


def mod(x: float, y: float) -> float | None:
    """Return the remainder with the sign of x, null for y = 0 and for x infinite."""
    return None if y == 0.0 or math.isinf(x) else math.fmod(x, y)


def negate(x: float) -> float:
    """Return -x."""
    return -x


def both(x: bool | None, y: bool | None) -> bool | None:  # noqa: FBT001 - operands
    """Return x and y in three-valued logic."""
    if x is False or y is False:
        return False
    return None if x is None or y is None else True


def either(x: bool | None, y: bool | None) -> bool | None:  # noqa: FBT001 - operands
    """Return x or y in three-valued logic."""
    if x is True or y is True:
        return True
    return None if x is None or y is None else False


def between(x: Any, low: Any, high: Any) -> bool | None:
    """Return x >= low and x <= high in three-valued logic."""
    return both(
        None if x is None or low is None else x >= low,
        None if x is None or high is None else x <= high,
    )


def is_in(x: Any, *items: Any) -> bool | None:
    """Return whether x is one of the items, as SQL does: null if only a null could match."""
    if x is None:
        return None
    if any(each is not None and each == x for each in items):
        return True
    return None if None in items else False


def is_distinct(x: Any, y: Any) -> bool:
    """Return whether x and y differ, two nulls being alike."""
    if x is None or y is None:
        return not (x is None and y is None)
    return bool(x != y)


def case(*parts: Any) -> Any:
    """Return the value after the first true condition, else the odd last one, else null."""
    for position in range(0, len(parts) - 1, 2):
        if parts[position] is True:
            return parts[position + 1]
    return parts[-1] if len(parts) % 2 else None


def coalesce(*values: Any) -> Any:
    """Return the first value that is not null."""
    return next((each for each in values if each is not None), None)


def nullif(x: Any, y: Any) -> Any:
    """Return null where x = y, else x."""
    return None if x is not None and y is not None and x == y else x


def greatest(*values: Any) -> Any:
    """Return the largest value that is not null; the first of equals."""
    return max((each for each in values if each is not None), default=None)


def least(*values: Any) -> Any:
    """Return the smallest value that is not null; the first of equals."""
    return min((each for each in values if each is not None), default=None)


def _arithmetic(name: str, kernel: Any, operator: str, doc: str, example: Any) -> Function:
    return Function(
        name=name,
        signatures=("double, double -> double",),
        kernel=kernel,
        operator=operator,
        group="Arithmetic",
        doc=doc,
        example=example,
    )


def _comparison(name: str, kernel: Any, operator: str, example: Any) -> Function:
    return Function(
        name=name,
        signatures=("T, T -> bool",),
        kernel=kernel,
        operator=operator,
        group="Comparison",
        doc="Numbers by value, text by code point, false before true.",
        example=example,
    )


def _logic(name: str, kernel: Any, operator: str, doc: str, example: Any) -> Function:
    return Function(
        name=name,
        signatures=("bool -> bool",) if name == "not" else ("bool, bool -> bool",),
        kernel=kernel,
        nulls="strict" if name == "not" else "own",
        operator=operator,
        group="Logic",
        doc=doc,
        example=example,
    )


def _test(
    name: str, signature: str, kernel: Any, operator: str, doc: str, example: Any
) -> Function:
    return Function(
        name=name,
        signatures=(signature,),
        kernel=kernel,
        nulls="own",
        operator=operator,
        group="Tests",
        doc=doc,
        example=example,
    )


def _choice(name: str, signature: str, kernel: Any, doc: str, example: Any) -> Function:
    return Function(
        name=name,
        signatures=(signature,),
        kernel=kernel,
        nulls="own",
        operator="case when c then x ... else y end" if name == "case" else "",
        group="Choice",
        doc=doc,
        example=example,
    )


ROWS = (
    _arithmetic("add", add, "x + y", "Sum in IEEE double.", ("0.1 + 0.2", 0.30000000000000004)),
    _arithmetic("subtract", subtract, "x - y", "Difference.", ("1 - 3", -2.0)),
    _arithmetic("multiply", multiply, "x * y", "Product.", ("2.5 * 4", 10.0)),
    _arithmetic("divide", divide, "x / y", "Quotient; null where y is 0.", ("7 / 2", 3.5)),
    Function(
        name="mod",
        signatures=("double, double -> double",),
        kernel=mod,
        group="Arithmetic",
        doc="Remainder with the sign of x, also written `x % y`; null where y is 0.",
        example=("mod(-7, 3)", -1.0),
    ),
    Function(
        name="negate",
        signatures=("double -> double",),
        kernel=negate,
        operator="-x",
        group="Arithmetic",
        doc="x with the other sign.",
        example=("-(2 + 1)", -3.0),
    ),
    _comparison("equal", lambda x, y: x == y, "x = y", ("-0.0 = 0.0", True)),
    _comparison("not_equal", lambda x, y: x != y, "x <> y", ("'a' <> 'b'", True)),
    _comparison("less", lambda x, y: x < y, "x < y", ("'Z' < 'a'", True)),
    _comparison("less_equal", lambda x, y: x <= y, "x <= y", ("2 <= 2", True)),
    _comparison("greater", lambda x, y: x > y, "x > y", ("1 > null", None)),
    _comparison("greater_equal", lambda x, y: x >= y, "x >= y", ("1 >= 2", False)),
    _logic("and", both, "a and b", "False if either is.", ("null and false", False)),
    _logic("or", either, "a or b", "True if either is.", ("null or true", True)),
    _logic("not", lambda x: not x, "not a", "The other truth value.", ("not 1 = 2", True)),
    _test(
        "between",
        "T, T, T -> bool",
        between,
        "x between a and b",
        "`x >= a and x <= b`.",
        ("3 between 1 and 3", True),
    ),
    _test(
        "in",
        "T, T... -> bool",
        is_in,
        "x in (a, b, ...)",
        "Whether x equals an item; null if only a null could match.",
        ("2 in (1, null)", None),
    ),
    _test(
        "is_null",
        "A -> bool",
        lambda x: x is None,
        "x is null",
        "Never null; `is not null` is its contrary.",
        ("1 / 0 is null", True),
    ),
    _test(
        "is_true",
        "bool -> bool",
        lambda x: x is True,
        "x is true",
        "Never null.",
        ("(null = 1) is true", False),
    ),
    _test(
        "is_false",
        "bool -> bool",
        lambda x: x is False,
        "x is false",
        "Never null.",
        ("(1 = 2) is false", True),
    ),
    _test(
        "is_distinct",
        "T, T -> bool",
        is_distinct,
        "x is distinct from y",
        "Unequal, two nulls being alike; never null.",
        ("1 is distinct from null", True),
    ),
    _choice(
        "case",
        "case",
        case,
        "The value after the first true condition; null without a match and an else.",
        ("case when 1 > 2 then 'a' else 'b' end", "b"),
    ),
    _choice(
        "coalesce",
        "A, A... -> A",
        coalesce,
        "The first value that is not null.",
        ("coalesce(null, 2)", 2.0),
    ),
    _choice("nullif", "T, T -> T", nullif, "Null if x = y, else x.", ("nullif(-0.0, 0.0)", None)),
    _choice(
        "greatest",
        "T, T... -> T",
        greatest,
        "The largest that is not null.",
        ("greatest(1, null, 3)", 3.0),
    ),
    _choice(
        "least", "T, T... -> T", least, "The smallest that is not null.", ("least(2, null)", 2.0)
    ),
)
