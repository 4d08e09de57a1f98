"""Windows over [t - w, t): exact integers inside, one last division outside.

Numbers are rounded to multiples of 2**-scale_bits before any engine adds them, so sums are
integers: every order of addition and every engine give the same bits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.language.tree import WindowCall

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
    """Column type, or `same` as the argument's."""
    quantised: bool
    """Whether the events' arguments are integers of `quantise`."""
    doc: str


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
    )
}


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


def aggregate(call: WindowCall, events: Sequence[Any]) -> Any:
    """Return the call's value over the arguments of a window's events, in time order.

    For sum, avg and stddev the arguments are integers of `quantise`; None is null.
    `count(*)` counts every entry, whatever it is.

    >>> from tondo.language.tree import WindowCall
    >>> aggregate(WindowCall("last", None, 1), [1.0, 2.0, None])
    2.0
    """
    if call.function == "count" and call.argument is None:
        return float(len(events))
    values = [each for each in events if each is not None]
    row = WINDOW_FUNCTIONS[call.function]
    if row.quantised:
        squares = sum(each * each for each in values) if call.function == "stddev" else 0
        return finish(call, len(values), sum(values), squares)
    if call.function == "count":
        return float(len(values))
    return _PICKED[call.function](values) if values else None


_PICKED: dict[str, Callable[[list[Any]], Any]] = {
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "min": min,
    "max": max,
}
