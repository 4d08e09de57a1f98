"""Windows over [t - w, t): exact integers inside, one last division outside.

Numbers are rounded to multiples of 2**-scale_bits before any engine adds them, so sums are
integers: every order of addition and every engine give the same bits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError
from tondo.language.distinct import estimate, sketch_of
from tondo.language.tree import Call, Node, WindowCall

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST = 2.0**80
"""Above this |value| no sum is taken: 2**80 * 2**20 leaves 2**27 events within 128 bits."""

LARGEST_SQUARED = 2.0**32
"""The same limit for stddev, whose squares must fit into 128 bits too."""


class WindowFunction(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of window functions."""

    name: str
    argument: str
    """`double`, `any`, or empty where `count(*)` takes none."""
    result: str
    """Column type, `same` as the argument's, or `list` of them."""
    quantised: bool
    """Whether the events' arguments are integers of `quantise`."""
    doc: str
    usage: str = ""
    """How it is written, where not `name(x)`."""
    tiled: bool = True
    """Whether it may stand with `tiles`."""


WINDOW_FUNCTIONS: dict[str, WindowFunction] = {
    row.name: row
    for row in (
        WindowFunction(
            name="count",
            argument="any",
            result="double",
            quantised=False,
            doc="Events whose argument is not null; `count(*)` counts all. 0 when there is none.",
        ),
        WindowFunction(
            name="sum",
            argument="double",
            result="double",
            quantised=True,
            doc="Sum of multiples of 2**-scale; null when there is no value.",
        ),
        WindowFunction(
            name="avg",
            argument="double",
            result="double",
            quantised=True,
            doc="Mean by one division; null when there is no value.",
        ),
        WindowFunction(
            name="stddev",
            argument="double",
            result="double",
            quantised=True,
            doc="Standard deviation with n - 1; null for fewer than two values.",
        ),
        WindowFunction(
            name="min",
            argument="any",
            result="same",
            quantised=False,
            doc="Smallest value that is not null.",
        ),
        WindowFunction(
            name="max",
            argument="any",
            result="same",
            quantised=False,
            doc="Largest value that is not null.",
        ),
        WindowFunction(
            name="first",
            argument="any",
            result="same",
            quantised=False,
            doc="Earliest value that is not null, in the order of time and sequence.",
        ),
        WindowFunction(
            name="last",
            argument="any",
            result="same",
            quantised=False,
            doc="Latest value that is not null, in the order of time and sequence.",
        ),
        WindowFunction(
            name="last_k",
            argument="any",
            result="list",
            quantised=False,
            doc="The k latest values that are not null, the newest first: its first item is "
            "`last(x)`. Empty when there is none. k is a whole number from 1 to 1000.",
            usage="last_k(x, 5)",
        ),
        WindowFunction(
            name="count_distinct",
            argument="any",
            result="double",
            quantised=False,
            doc="How many different values that are not null, exactly; not with `tiles`.",
            tiled=False,
        ),
        WindowFunction(
            name="approx_count_distinct",
            argument="any",
            result="double",
            quantised=False,
            doc="The same by a sketch of 4,096 registers: a standard error of 1.6 %, and the "
            "same whole number wherever it is computed.",
        ),
        WindowFunction(
            name="ratio",
            argument="double",
            result="double",
            quantised=True,
            doc="sum(a) / sum(b) over the events where neither is null, by one division; null "
            "when there is none or the sum of b is 0.",
            usage="ratio(a, b)",
        ),
    )
}

MOST_KEPT = 1000
"""The largest k of `last_k`: what one row of features can sensibly carry."""


def window_start_us(call: WindowCall, as_of_us: int) -> int:
    """Return the first event time that takes part at an instant.

    >>> window_start_us(WindowCall("count", None, 10), 25)
    15
    >>> window_start_us(WindowCall("count", None, 10, tile_us=4), 25)
    12
    """
    start = as_of_us - call.window_us
    return start if call.tile_us is None else start - start % call.tile_us


def arguments_of(call: WindowCall) -> tuple[Node, ...]:
    """Return what an event gives to the call: nothing for `count(*)`, for `ratio` two.

    Each of a ratio's two is null where the other is, so each can be summed alone.
    """
    if call.argument is None:
        return ()
    if call.divisor is None:
        return (call.argument,)
    above, below = call.argument, call.divisor
    return (_where(above, given=below), _where(below, given=above))


def _where(value: Node, *, given: Node) -> Node:
    # x - x is null for an infinite x too, which as an event's value counts as null.
    none = Call("subtract", (given, given), "double")
    there = Call("not", (Call("is_null", (none,), "bool"),), "bool")
    return Call("case", (there, value), value.type)


def quantise(value: float, scale_bits: int = 20, *, largest: float = LARGEST) -> int:
    """Return `value` in units of 2**-scale_bits, half away from zero; TD-LANG-012 if too large.

    >>> quantise(0.5, 0), quantise(-0.5, 0), quantise(1.5)
    (1, -1, 1572864)
    """
    if not abs(value) <= largest:
        raise DataError(
            "TD-LANG-012",
            f"{value!r} is too large for an exact sum",
            expected=f"a value between -{largest:g} and {largest:g}",
            fix="Correct the value, or make its unit larger in the feature's expression.",
            value=value,
        )
    scaled = math.ldexp(value, scale_bits)
    whole = math.floor(abs(scaled))
    whole += abs(scaled) - whole >= 0.5
    return -whole if scaled < 0 else whole


def quantise_for(call: WindowCall, value: float) -> int:
    """Return `quantise` under the limits of the call's function."""
    largest = LARGEST_SQUARED if call.function == "stddev" else LARGEST
    return quantise(value, call.scale_bits, largest=largest)


def finish(call: WindowCall, n: int, total: int, total_squares: int) -> float | None:
    """Return the value from the exact sums over the window: one correctly rounded division.

    >>> from tondo.language.tree import WindowCall
    >>> call = WindowCall("avg", None, 1, 0)
    >>> finish(call, 4, 10, 0)
    2.5
    """
    if call.function == "count":
        return float(n)
    if n == 0:
        return None
    if call.function == "sum":
        return total / (1 << call.scale_bits)
    if call.function == "avg":
        return total / (n << call.scale_bits)
    if n < 2:
        return None
    spread = n * total_squares - total * total
    return math.sqrt(spread / (n * (n - 1) << 2 * call.scale_bits))


def finish_ratio(n: int, total: int, divisor: int) -> float | None:
    """Return the ratio of two exact sums over `n` events.

    >>> finish_ratio(2, 3, 4), finish_ratio(2, 0, -4), finish_ratio(2, 3, 0)
    (0.75, 0.0, None)
    """
    return None if n == 0 or divisor == 0 else total / divisor + 0.0


def aggregate(call: WindowCall, events: Sequence[Any]) -> Any:
    """Return the call's value over the arguments of a window's events, in time order.

    For sum, avg and stddev the arguments are integers of `quantise`, for ratio pairs of them;
    None is null. `count(*)` counts every entry, whatever it is.

    >>> from tondo.language.tree import WindowCall
    >>> aggregate(WindowCall("last", None, 1), [1.0, 2.0, None])
    2.0
    """
    if call.function == "count" and call.argument is None:
        return float(len(events))
    values = [each for each in events if each is not None]
    row = WINDOW_FUNCTIONS[call.function]
    if call.function == "ratio":
        return finish_ratio(len(values), sum(v[0] for v in values), sum(v[1] for v in values))
    if row.quantised:
        squares = sum(each * each for each in values) if call.function == "stddev" else 0
        return finish(call, len(values), sum(values), squares)
    if call.function in _COUNTED:
        return _COUNTED[call.function](values)
    if call.function == "last_k":
        return values[::-1][: call.most]
    return _PICKED[call.function](values) if values else None


_COUNTED: dict[str, Callable[[list[Any]], float]] = {
    "count": lambda values: float(len(values)),
    "count_distinct": lambda values: float(len(set(values))),
    "approx_count_distinct": lambda values: estimate(sketch_of(values).values()),
}
_PICKED: dict[str, Callable[[list[Any]], Any]] = {
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "min": min,
    "max": max,
}
