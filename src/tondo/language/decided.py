"""What every engine must answer: the interpreter's value, or the bounds that values must lie in.

`bounded` walks a tree as `interpret.evaluate` does. Where an operator with steps (floor, a
comparison, a place in a text, ...) is given bounds that straddle one, the answer is `Undecided`.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from tondo.language import bounds
from tondo.language.bounds import Bounds, Undecided, ends, hull
from tondo.language.functions import FUNCTIONS
from tondo.language.functions.text import whole
from tondo.language.interpret import column_value, literal_value
from tondo.language.tree import Call, Column, Literal, Node, ViewFeature, nodes_of
from tondo.language.values import finite
from tondo.language.walk import expand_fitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def has_bounds(node: Node) -> bool:
    """Return whether engines may differ at all: a transcendental function is somewhere in it."""
    return any(isinstance(each, Call) and FUNCTIONS[each.function].ulp for each in nodes_of(node))


def bounded(node: Node, row: Mapping[str, Any]) -> Any:
    """Return the value that every engine gives, or `Bounds` in which every engine's lies.

    :raises Undecided: where engines may differ in more than the last bits; it names the operator.

    >>> from tondo.language.check import check
    >>> from tondo.language.parse import parse
    >>> bounded(check(parse("floor(ln(x))"), {"x": "double"}), {"x": 10.0})
    2.0
    """
    value = _value(expand_fitted(node), row)
    if not isinstance(value, Bounds):
        return finite(value)
    if bounds.is_endless(value):
        raise Undecided("answer")
    return value


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
    if function.ulp:
        return _TRANSCENDENTAL[node.function](*arguments)
    if any(isinstance(each, Bounds) for each in arguments):
        return _WITH_BOUNDS.get(node.function, partial(_open, node.function))(*arguments)
    return function.kernel(*arguments)


def _open(name: str, *_: Any) -> Any:
    raise Undecided(name)


_TRANSCENDENTAL: dict[str, Callable[..., Any]] = {
    **{
        name: partial(bounds.transcendental, name)
        for name, row in FUNCTIONS.items()
        if row.ulp and row.signatures == ("double -> double",)
    },
    "power": bounds.power,
    "atan2": bounds.atan2,
    "haversine_km": bounds.haversine_km,
}


def _step(name: str, *, at: int = 0) -> Callable[..., Any]:
    """Return the rule of a function that goes one way in its argument number `at`, in steps."""
    kernel = FUNCTIONS[name].kernel

    def rule(*arguments: Any) -> Any:
        before, x, after = arguments[:at], arguments[at], arguments[at + 1 :]
        answer = _only([kernel(*before, each, *after) for each in ends(x)], name)
        if answer is None and bounds.has_zero(x):
            raise Undecided(name)  # out of the calendar on both sides, but not between
        return answer

    return rule


def _placed(name: str) -> Callable[..., Any]:
    """Return the rule of a function whose numbers are places: their whole part is looked at."""
    kernel = FUNCTIONS[name].kernel

    def rule(*arguments: Any) -> Any:
        if any(isinstance(x, Bounds) and whole(x.high) - whole(x.low) > 1 for x in arguments):
            raise Undecided(name)
        ways = product(*(ends(x) if isinstance(x, Bounds) else (x,) for x in arguments))
        return _only([kernel(*each) for each in ways], name)

    return rule


def _only(answers: Sequence[Any], name: str) -> Any:
    """Return the one answer there is; of zeros, both signs are two."""
    if any(repr(each) != repr(answers[0]) for each in answers):
        raise Undecided(name)
    return answers[0]


def _order(x: Any, y: Any, name: str) -> int | None:
    """Return -1, 0 or 1 as x is less than, equal to or greater than y; None where one is null."""
    if x is None or y is None:
        return None
    if not isinstance(x, Bounds) and not isinstance(y, Bounds):
        return int(x > y) - int(x < y)
    (low, high), (first, last) = ends(x), ends(y)
    if high < first or low > last:
        return -1 if high < first else 1
    if low == high == first == last:
        return 0
    raise Undecided(name)


def _compared(name: str, orders: set[int]) -> Callable[..., Any]:
    return lambda x, y: _order(x, y, name) in orders


def _between(x: Any, low: Any, high: Any) -> bool | None:
    above, below = _order(x, low, "between"), _order(x, high, "between")
    kernel = FUNCTIONS["and"].kernel
    found: bool | None = kernel(
        None if above is None else above >= 0, None if below is None else below <= 0
    )
    return found


def _in(x: Any, *items: Any) -> bool | None:
    orders = [_order(x, each, "in") for each in items]
    if x is None:
        return None
    return True if 0 in orders else None if None in orders else False


def _is_distinct(x: Any, y: Any) -> bool:
    return _order(x, y, "is_distinct") != 0


def _nullif(x: Any, y: Any) -> Any:
    return None if _order(x, y, "nullif") == 0 else x


def _best(name: str, choose: Callable[..., float]) -> Callable[..., Any]:
    """Return the rule of greatest and least: of the ends, one by one."""

    def rule(*values: Any) -> Any:
        given = [each for each in values if each is not None]
        low, high = (choose(side) for side in zip(*map(ends, given), strict=True))
        if low != high:
            return Bounds(low, high)
        # One of the plain values, the first of equals; a zero may have either sign.
        if low == 0.0 and any(isinstance(each, Bounds) and 0.0 in each for each in given):
            raise Undecided(name)
        return low

    return rule


def _clip(x: Any, low: Any, high: Any) -> Any:
    if ends(low)[1] <= ends(high)[0]:
        sides = zip(*map(ends, (x, low, high)), strict=True)
        return hull([FUNCTIONS["clip"].kernel(*side) for side in sides], "clip")
    # With the ends the wrong way round there is a step at the lower end.
    if ends(low)[0] <= ends(high)[1]:
        raise Undecided("clip")
    return low if _order(x, low, "clip") == -1 else high


def _position_in(x: Bounds, *values: Any) -> float:
    for each in values:
        _order(x, each, "position_in")
    return 0.0


def _among(name: str) -> Callable[[Sequence[Any], Bounds], Any]:
    """Return the rule of a function that looks for a value in a list."""

    def rule(items: Sequence[Any], x: Bounds) -> Any:
        for each in items:
            _order(x, each, name)
        return FUNCTIONS[name].kernel([], x)

    return rule


def _sqrt(x: Bounds) -> Any:
    if x.high < 0.0:
        return None
    return hull(map(FUNCTIONS["sqrt"].kernel, ends(x)), "sqrt")


def _scaled(name: str) -> Callable[[Bounds], Any]:
    return lambda x: hull(map(FUNCTIONS[name].kernel, ends(x)), name)


def _quotient(x: Any, y: Any, of: Callable[[Any, Any], Any]) -> Any:
    return None if y == 0.0 else of(x, y)


_WITH_BOUNDS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: bounds.corners(lambda a, b: a + b, x, y, "add"),
    "subtract": lambda x, y: bounds.corners(lambda a, b: a - b, x, y, "subtract"),
    "multiply": bounds.multiply,
    "divide": partial(_quotient, of=bounds.divide),
    "mod": partial(_quotient, of=bounds.mod),
    "negate": lambda x: Bounds(-x.high, -x.low),
    "abs": bounds.absolute,
    "sqrt": _sqrt,
    "radians": _scaled("radians"),
    "degrees": _scaled("degrees"),
    "cast_double": lambda x: x,
    **{name: _step(name) for name in ("sign", "ceil", "floor", "trunc", "round", "bucketize")},
    "date_add": _step("date_add", at=1),
    **{name: _placed(name) for name in ("substr", "split_part", "item")},
    "equal": _compared("equal", {0}),
    "not_equal": _compared("not_equal", {-1, 1}),
    "less": _compared("less", {-1}),
    "less_equal": _compared("less_equal", {-1, 0}),
    "greater": _compared("greater", {1}),
    "greater_equal": _compared("greater_equal", {0, 1}),
    "between": _between,
    "in": _in,
    "is_distinct": _is_distinct,
    "nullif": _nullif,
    "greatest": _best("greatest", max),
    "least": _best("least", min),
    "clip": _clip,
    "position_in": _position_in,
    "contains": _among("contains"),
    "count": _among("count"),
    # These pass values on, or ask only whether there is one; bounds are always a value.
    **{name: FUNCTIONS[name].kernel for name in ("case", "coalesce", "is_null")},
}
"""What a function makes of bounds among its arguments; one that is not here is undecided."""
