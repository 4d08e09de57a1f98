"""Rounding, roots, logarithms, powers and angles."""

from __future__ import annotations

import math
from fractions import Fraction
from math import asin, cos, isfinite, sin
from typing import TYPE_CHECKING, Any

from tondo.language.functions.operators import without_nan
from tondo.language.functions.row import Function

if TYPE_CHECKING:
    from collections.abc import Callable

EARTH_RADIUS_KM = 6371.0088
"""Mean radius, IUGG (Moritz 2000, Geodetic Reference System 1980)."""

WHOLE_FROM = 2.0**52
"""From here every double is a whole number."""

MOST_DIGITS = 22
"""10**22 is the largest power of ten that is exactly a double."""


def absolute(x: float) -> float:
    """Return |x|."""
    return abs(x)


def sign(x: float) -> float:
    """Return -1, 0 or 1."""
    return float((x > 0) - (x < 0))


def ceil(x: float) -> float:
    """Return the smallest whole number not below x; -0.0 for -1 < x < 0."""
    return x if abs(x) >= WHOLE_FROM else math.copysign(math.ceil(x), x)


def floor(x: float) -> float:
    """Return the largest whole number not above x."""
    return x if abs(x) >= WHOLE_FROM else math.copysign(math.floor(x), x)


def trunc(x: float) -> float:
    """Return x without its fraction."""
    return x if abs(x) >= WHOLE_FROM else math.copysign(math.trunc(x), x)


def round_half_away(x: float, digits: float = 0.0) -> float:
    """Return x rounded to `digits` decimals, half away from zero on the exact binary value.

    >>> round_half_away(2.5), round_half_away(1.115, 2), round_half_away(-1250.0, -2)
    (3.0, 1.11, -1300.0)
    """
    if digits == 0.0:
        if abs(x) >= WHOLE_FROM:
            return x
        whole = math.floor(abs(x))
        return math.copysign(whole + (abs(x) - whole >= 0.5), x)
    if math.isinf(x):
        return x
    unit = Fraction(10) ** int(-digits)
    count = math.floor(Fraction(abs(x)) / unit + Fraction(1, 2))
    try:
        return math.copysign(float(count * unit), x)
    except OverflowError:
        return math.copysign(math.inf, x)


def sqrt(x: float) -> float | None:
    """Return the root, null below zero."""
    return None if x < 0 else math.sqrt(x)


def power(x: float, y: float) -> float | None:
    """Return x to the power y; null where it is not real or divides by zero."""
    if x == 0.0 and y < 0.0:
        return None
    try:
        return without_nan(math.pow(x, y))
    except OverflowError:
        return -math.inf if x < 0 and math.fmod(y, 2.0) != 0.0 else math.inf
    except ValueError:
        return None


def exp(x: float) -> float:
    """Return e to the power x."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def expm1(x: float) -> float:
    """Return e to the power x, less 1, exact near zero."""
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def _logarithm(of: Callable[[float], float], above: float) -> Callable[[float], float | None]:
    def kernel(x: float) -> float | None:
        return of(x) if x > above else None

    return kernel


def _circular(of: Callable[[float], float]) -> Callable[[float], float | None]:
    def kernel(x: float) -> float | None:
        return None if math.isinf(x) else of(x)

    return kernel


def _inverse(of: Callable[[float], float]) -> Callable[[float], float | None]:
    def kernel(x: float) -> float | None:
        return of(x) if -1.0 <= x <= 1.0 else None

    return kernel


RADIANS_PER_DEGREE = math.pi / 180.0
DEGREES_PER_RADIAN = 180.0 / math.pi


def radians(x: float) -> float:
    """Return degrees as radians, by one multiplication."""
    return x * RADIANS_PER_DEGREE


def degrees(x: float) -> float:
    """Return radians as degrees, by one multiplication."""
    return x * DEGREES_PER_RADIAN


def haversine_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float | None:
    """Return the great-circle distance in km (Sinnott 1984, Virtues of the Haversine).

    >>> round(haversine_km(40.6413, -73.7781, 33.9416, -118.4085))
    3974
    """
    across, along = lat2 - lat1, lon2 - lon1
    if not (isfinite(across) and isfinite(along)):
        return None
    half_lat = sin(across * RADIANS_PER_DEGREE * 0.5)
    half_lon = sin(along * RADIANS_PER_DEGREE * 0.5)
    scale = cos(lat1 * RADIANS_PER_DEGREE) * cos(lat2 * RADIANS_PER_DEGREE)
    chord = half_lat * half_lat + scale * (half_lon * half_lon)
    if chord < 0.0:  # rounding of huge coordinates
        return None
    return 2.0 * EARTH_RADIUS_KM * asin(min(1.0, math.sqrt(chord)))


def _digits_problem(constants: Any) -> str:
    digits = constants[1] if len(constants) > 1 else 0.0
    if digits is None or (digits == int(digits) and abs(digits) <= MOST_DIGITS):
        return ""
    return f"digits must be a whole number from -{MOST_DIGITS} to {MOST_DIGITS}"


def _one(
    name: str, kernel: Any, doc: str, example: Any, *, ulp: bool = False, group: str = "Numbers"
) -> Function:
    return Function(
        name=name,
        signatures=("double -> double",),
        kernel=kernel,
        group=group,
        ulp=ulp,
        doc=doc,
        example=example,
    )


def _two(name: str, kernel: Any, doc: str, example: Any) -> Function:
    return Function(
        name=name,
        signatures=("double, double -> double",),
        kernel=kernel,
        group="Numbers",
        ulp=True,
        doc=doc,
        example=example,
    )


ROWS = (
    _one("abs", absolute, "|x|.", ("abs(-2)", 2.0)),
    _one("sign", sign, "-1, 0 or 1.", ("sign(-0.5)", -1.0)),
    _one("ceil", ceil, "Smallest whole number not below x.", ("ceil(1.2)", 2.0)),
    _one("floor", floor, "Largest whole number not above x.", ("floor(-1.2)", -2.0)),
    _one("trunc", trunc, "x without its fraction.", ("trunc(-1.7)", -1.0)),
    Function(
        name="round",
        signatures=("double, #double? -> double",),
        kernel=round_half_away,
        group="Numbers",
        problem=_digits_problem,
        doc="To d decimals, half away from zero on the exact binary value; d may be negative.",
        example=("round(2.5)", 3.0),
    ),
    _one("sqrt", sqrt, "Root; null for x < 0.", ("sqrt(9)", 3.0)),
    _one("exp", exp, "e to the power x.", ("exp(0)", 1.0), ulp=True),
    _one("expm1", expm1, "exp(x) - 1, exact near 0.", ("expm1(0)", 0.0), ulp=True),
    _one("ln", _logarithm(math.log, 0.0), "Null for x <= 0.", ("ln(1)", 0.0), ulp=True),
    _one("log1p", _logarithm(math.log1p, -1.0), "ln(1 + x).", ("log1p(-1)", None), ulp=True),
    _one("log2", _logarithm(math.log2, 0.0), "Null for x <= 0.", ("log2(8)", 3.0), ulp=True),
    _one("log10", _logarithm(math.log10, 0.0), "Null for x <= 0.", ("log10(100)", 2.0), ulp=True),
    _two("power", power, "x to the power y; null where not real.", ("power(2, 10)", 1024.0)),
    _one("sin", _circular(math.sin), "x in radians.", ("sin(0)", 0.0), ulp=True),
    _one("cos", _circular(math.cos), "x in radians.", ("cos(0)", 1.0), ulp=True),
    _one("tan", _circular(math.tan), "x in radians.", ("tan(0)", 0.0), ulp=True),
    _one("asin", _inverse(math.asin), "Null outside [-1, 1].", ("asin(2)", None), ulp=True),
    _one("acos", _inverse(math.acos), "Null outside [-1, 1].", ("acos(1)", 0.0), ulp=True),
    _one("atan", math.atan, "Inverse of tan.", ("atan(0)", 0.0), ulp=True),
    _two("atan2", math.atan2, "Angle of the point (x, y), y first.", ("atan2(0, 1)", 0.0)),
    _one("radians", radians, "x * (pi / 180).", ("radians(0)", 0.0)),
    _one("degrees", degrees, "x * (180 / pi).", ("degrees(0)", 0.0)),
    Function(
        name="haversine_km",
        signatures=("double, double, double, double -> double",),
        kernel=haversine_km,
        group="Numbers",
        ulp=True,
        doc="Great-circle distance of (lat1, lon1) and (lat2, lon2) in degrees, in km.",
        example=("haversine_km(10, 20, 10, 20)", 0.0),
    ),
)
