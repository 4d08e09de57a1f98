"""Bounds of a double that engines may give differently, carried through continuous functions.

A transcendental function may differ by 4 ulp between engines. `Bounds` holds every value that one
of them can give; where all give the same bits, the plain float stands instead. IEEE arithmetic
rounds in order, so the ends of a result come from the ends of its arguments, without further
widening. Where the answer would depend on which of the values it is, `Undecided` is raised.

Sources: IEEE 754-2019, sections 4.3 and 9.2 (rounding, exact cases); Moore, Kearfott and Cloud
2009, Introduction to Interval Analysis, chapters 2 and 5.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from tondo.language.functions.numeric import EARTH_RADIUS_KM, RADIANS_PER_DEGREE
from tondo.language.functions.table import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ULPS = 4
"""How far engines may be apart in one transcendental function of equal arguments."""
UNEVEN_ULPS = 2
"""Added where an argument has bounds: our own function is monotone only to a unit on each side."""
TINY = 2.0**-60
"""Below it sin x is x, cos x is 1, and so on: no other double is near."""
EXP_ENDS = {"exp": (-750.0, 0.0), "expm1": (-50.0, -1.0)}
"""Below the first number the value is the second: the doubles end at exp(-745.1), and half a unit
below 1 is exp(-36.7), so that no engine is in doubt."""
POWER_IS_ENDED = 1100.0
"""The same for the binary logarithm of a power: doubles end at -1074 and 1024."""


class Undecided(Exception):  # noqa: N818 - no error: an answer that the language leaves open
    """Engines may answer differently and both be right; `operator` is where they part."""

    def __init__(self, operator: str) -> None:
        """Keep the operator's name."""
        super().__init__(operator)
        self.operator = operator


class Bounds(msgspec.Struct, frozen=True):
    """Every double from `low` to `high` may be an engine's value; -0.0 is below 0.0."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Return whether an engine may have this value."""
        return rank(self.low) <= rank(value) <= rank(self.high)


Number = float | Bounds


def rank(x: float) -> tuple[float, float]:
    """Return what doubles are ordered by here: value, then sign.

    >>> rank(-0.0) < rank(0.0)
    True
    """
    return x, math.copysign(1.0, x)


def ends(x: Number) -> tuple[float, float]:
    """Return the lowest and the highest value."""
    return (x.low, x.high) if isinstance(x, Bounds) else (x, x)


def hull(values: Iterable[float | None], operator: str) -> Number:
    """Return the float that all values are, else their bounds; Undecided where one is null."""
    found = list(values)
    first = found[0]
    plain = [each for each in found if each is not None and each == each]  # noqa: PLR0124 - NaN out
    if len(plain) < len(found) or first is None:
        raise Undecided(operator)
    if all(rank(first) == rank(each) for each in plain):
        return first
    return Bounds(min(plain, key=rank), max(plain, key=rank))


def corners(
    of: Callable[[float, float], float | None], x: Number, y: Number, operator: str
) -> Number:
    """Return what a function that is monotone in both arguments makes of them."""
    return hull([of(a, b) for a in ends(x) for b in ends(y)], operator)


def has_zero(x: Number) -> bool:
    """Return whether a value may be zero."""
    low, high = ends(x)
    return low <= 0.0 <= high


def is_endless(x: Number) -> bool:
    """Return whether a value may be infinite."""
    return any(map(math.isinf, ends(x)))


def multiply(x: Number, y: Number) -> Number:
    """Return x * y; open where one may be zero and the other infinite."""
    if (has_zero(x) and is_endless(y)) or (has_zero(y) and is_endless(x)):
        raise Undecided("multiply")
    return corners(lambda a, b: a * b, x, y, "multiply")


def divide(x: Number, y: Number) -> Number:
    """Return x / y; open where y may be zero."""
    if has_zero(y):
        raise Undecided("divide")
    return corners(lambda a, b: a / b, x, y, "divide")


def mod(x: Number, y: Number) -> Number:
    """Return the remainder; open where the whole part of the quotient is."""
    low, high = ends(x)
    if max(-low, high) < min(map(abs, ends(y))):
        return x
    if isinstance(y, Bounds) or is_endless(x):
        raise Undecided("mod")
    # Within one whole quotient the remainder goes up as x does.
    if math.trunc(Fraction(low) / Fraction(y)) != math.trunc(Fraction(high) / Fraction(y)):
        raise Undecided("mod")
    return hull([math.fmod(low, y), math.fmod(high, y)], "mod")


def absolute(x: Bounds) -> Number:
    """Return |x|."""
    return hull([abs(x.low), abs(x.high), *([0.0] if has_zero(x) else [])], "abs")


def widened(name: str, low: float, high: float, *, ulps: int = ULPS) -> Number:
    """Return the bounds with `ulps` units on each side, within the function's range and sign."""
    least, most = RANGES.get(name, (-math.inf, math.inf))
    if math.copysign(1.0, low) > 0.0:
        least = max(0.0, least)
    elif math.copysign(1.0, high) < 0.0:
        most = min(-0.0, most)
    down = low if math.isinf(low) else low - ulps * math.ulp(low)
    up = high if math.isinf(high) else high + ulps * math.ulp(high)
    return hull([max(least, down), min(most, up)], name)


RANGES = {
    "exp": (0.0, math.inf),
    "expm1": (-1.0, math.inf),
    "sin": (-1.0, 1.0),
    "cos": (-1.0, 1.0),
    "acos": (0.0, math.inf),
}
"""What no engine's answer leaves, however it rounds."""

ODD = frozenset({"sin", "tan", "asin", "atan", "expm1", "log1p"})
"""Near zero they are x."""


def exact_of(name: str, x: float) -> float | None:
    """Return what every engine answers in the same bits, None where there may be 4 ulp.

    >>> exact_of("sin", -0.0), exact_of("ln", 1.0), exact_of("sin", 1.0)
    (-0.0, 0.0, None)
    """
    if abs(x) < TINY:
        return x if name in ODD else 1.0 if name in {"exp", "cos"} else None
    if name in EXP_ENDS and x < EXP_ENDS[name][0]:
        return EXP_ENDS[name][1]
    if x == 1.0 and name in {"ln", "log2", "log10", "acos"}:
        return 0.0
    if x == math.inf and name in {"ln", "log1p", "log2", "log10"}:
        return math.inf
    return None


def transcendental(name: str, x: Number) -> Number | None:
    """Return the bounds of a function of one argument; None where it is surely null."""
    kernel = FUNCTIONS[name].kernel
    if not isinstance(x, Bounds):
        value = kernel(x)
        exact = None if value is None else exact_of(name, x)
        return exact if value is None or exact is not None else widened(name, value, value)
    low, high = kernel(x.low), kernel(x.high)
    if low is None or high is None:
        # Each is null on one side of a point, or outside [-1, 1].
        if low is None and high is None and not x.low < 0.0 < x.high:
            return None
        raise Undecided(name)
    if name in SLOPES and not _is_monotone(SLOPES[name], x):
        if name == "tan":
            raise Undecided(name)
        return Bounds(-1.0, 1.0)
    return widened(name, min(low, high), max(low, high), ulps=ULPS + UNEVEN_ULPS)


SLOPES = {"sin": math.cos, "tan": math.cos, "cos": math.sin}
"""Between two zeros of the second, the first goes one way; tan has its poles there."""


def _is_monotone(slope: Callable[[float], float], x: Bounds) -> bool:
    """Return whether the slope keeps its sign: its zeros are more than 3 apart."""
    return x.high - x.low < 3.0 and slope(x.low) * slope(x.high) > 0.0


def power(x: Number, y: Number) -> Number | None:
    """Return the bounds of x to the power y; None where it is surely null."""
    kernel = FUNCTIONS["power"].kernel
    if not isinstance(x, Bounds) and not isinstance(y, Bounds):
        value: float | None = kernel(x, y)
        if value is None or is_exact_power(x, y):
            return value
        return widened("power", value, value)
    low, high = ends(x)
    if y == 0.0 or x == 1.0:
        return 1.0
    if -math.inf < low <= high < 0.0 and FUNCTIONS["ceil"].kernel(ends(y)[0]) > ends(y)[1]:
        return None  # a negative number to a power that is not whole
    if low > 0.0:
        bases = [low, high]
    elif not isinstance(y, Bounds) and y.is_integer() and not (has_zero(x) and y <= 0.0):
        bases = [low, *([0.0] if has_zero(x) else []), high]
    else:
        raise Undecided("power")
    found = hull([kernel(a, b) for a in bases for b in ends(y)], "power")
    if is_endless(x) or is_endless(y) or is_endless(found):
        raise Undecided("power")
    return widened("power", *ends(found), ulps=ULPS + UNEVEN_ULPS)


def is_exact_power(x: float, y: float) -> bool:
    """Return whether every engine gives the same bits: 0, 1, x itself, or beyond the doubles."""
    if x in {0.0, 1.0} or y in {0.0, 1.0} or math.isinf(x) or math.isinf(y):
        return True
    return abs(y * math.log2(abs(x))) > POWER_IS_ENDED


def atan2(y: Number, x: Number) -> Number:
    """Return the bounds of an angle; open where the point may be on both sides of the cut."""
    if not isinstance(x, Bounds) and not isinstance(y, Bounds):
        angle = math.atan2(y, x)
        return angle if is_exact_angle(y, x) else widened("atan2", angle, angle)
    on_axis = has_zero(y) and (isinstance(y, Bounds) or has_zero(x))
    if (on_axis and ends(x)[0] <= 0.0) or is_endless(x) or is_endless(y):
        raise Undecided("atan2")
    found = corners(math.atan2, y, x, "atan2")
    return widened("atan2", *ends(found), ulps=ULPS + UNEVEN_ULPS)


def is_exact_angle(y: float, x: float) -> bool:
    """Return whether a point lies on the axis to the right."""
    return (y == 0.0 and math.copysign(1.0, x) > 0.0) or (x == math.inf and not math.isinf(y))


def haversine_km(lat1: Number, lon1: Number, lat2: Number, lon2: Number) -> Number | None:
    """Return the bounds of the distance: the fixed tree of `functions/numeric.py`, node by node."""
    given = (lat1, lon1, lat2, lon2)
    endless = [each for each in given if is_endless(each)]
    if endless:
        if any(isinstance(each, Bounds) for each in endless):
            raise Undecided("haversine_km")
        return None
    across = corners(lambda a, b: a - b, lat2, lat1, "haversine_km")
    along = corners(lambda a, b: a - b, lon2, lon1, "haversine_km")
    if is_endless(across) or is_endless(along):
        if isinstance(across, Bounds) or isinstance(along, Bounds):
            raise Undecided("haversine_km")
        return None
    half_lat = _sure(transcendental("sin", multiply(multiply(across, RADIANS_PER_DEGREE), 0.5)))
    half_lon = _sure(transcendental("sin", multiply(multiply(along, RADIANS_PER_DEGREE), 0.5)))
    scale = multiply(
        _sure(transcendental("cos", multiply(lat1, RADIANS_PER_DEGREE))),
        _sure(transcendental("cos", multiply(lat2, RADIANS_PER_DEGREE))),
    )
    bulge = multiply(scale, _squared(half_lon))
    chord = corners(lambda a, b: a + b, _squared(half_lat), bulge, "haversine_km")
    low, high = ends(chord)
    if high < 0.0:
        return None
    if low < 0.0:
        raise Undecided("haversine_km")
    root = hull([min(1.0, math.sqrt(low)), min(1.0, math.sqrt(high))], "haversine_km")
    return multiply(2.0 * EARTH_RADIUS_KM, _sure(transcendental("asin", root)))


def _squared(x: Number) -> Number:
    """Return x * x of one and the same x: never negative."""
    low, high = ends(x)
    least = 0.0 if has_zero(x) else min(low * low, high * high)
    return hull([least, max(low * low, high * high)], "multiply")


def _sure(x: Number | None) -> Number:
    """Return what is never null here: sin and cos of finite arguments, asin within [0, 1]."""
    assert x is not None
    return x
