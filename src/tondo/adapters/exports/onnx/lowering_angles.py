"""Angles in ONNX: sine and cosine are there in double precision, their inverses are made here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx.forms import Doubles, Form
from tondo.adapters.exports.onnx.lowering_numbers import of_one, signed_as
from tondo.language.functions.numeric import EARTH_RADIUS_KM, RADIANS_PER_DEGREE

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.lowerer import Lowerer, Lowering
    from tondo.adapters.exports.onnx.writer import GraphWriter
    from tondo.language.tree import Call

_SERIES = (
    3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01,
    -1.11111104054623557880e-01, 9.09088713343650656196e-02, -7.69187620504482999495e-02,
    6.66107313738753120669e-02, -5.83357013379057348645e-02, 4.97687799461593236017e-02,
    -3.65315727442169155270e-02, 1.62858201153657823623e-02,
)  # fmt: skip
"""Coefficients of the arc tangent below 7/16, by the Remez algorithm (FDLIBM, s_atan.c)."""

_PIECES = (
    (0.4375, 0.5, 4.63647609000806093515e-01, 2.26987774529616870924e-17),
    (0.6875, 1.0, 7.85398163397448278999e-01, 3.06161699786838301793e-17),
    (1.1875, 1.5, 9.82793723247329054082e-01, 1.39033110312309984516e-17),
    (2.4375, math.inf, 1.57079632679489655800e00, 6.12323399573676603587e-17),
)
"""From a size on: the point that the argument is turned to, its arc tangent, and the rest of it."""

_PI_REST = 1.2246467991473532e-16
"""What the double nearest to pi lacks."""

_TINY = 2.0**-27
"""Below, the inverse functions are their argument in every bit."""


def _finite(writer: GraphWriter, x: str, found: str) -> str:
    infinite = writer.add("IsInf", x)
    return writer.where(infinite, writer.double(math.nan), found)


def _sin(writer: GraphWriter, x: str) -> str:
    return _finite(writer, x, writer.add("Sin", x))


def _cos(writer: GraphWriter, x: str) -> str:
    return _finite(writer, x, writer.add("Cos", x))


def _tan(writer: GraphWriter, x: str) -> str:
    return _finite(writer, x, writer.add("Div", writer.add("Sin", x), writer.add("Cos", x)))


def _arc_tangent(writer: GraphWriter, size: str) -> str:
    """Return the arc tangent of a number that is not below zero (FDLIBM, s_atan.c)."""
    turned, high, low = size, writer.double(0.0), writer.double(0.0)
    for start, point, angle, rest in _PIECES:
        beyond = writer.add("GreaterOrEqual", size, writer.double(start))
        turned = writer.where(beyond, _turned(writer, size, point), turned)
        high = writer.where(beyond, writer.double(angle), high)
        low = writer.where(beyond, writer.double(rest), low)
    z = writer.add("Mul", turned, turned)
    series = writer.double(_SERIES[-1])
    for each in reversed(_SERIES[:-1]):
        series = writer.add("Add", writer.double(each), writer.add("Mul", z, series))
    bent = writer.add("Mul", turned, writer.add("Mul", z, series))
    inner = writer.add("Sub", writer.add("Sub", bent, low), turned)
    return writer.add("Sub", high, inner)


def _turned(writer: GraphWriter, size: str, point: float) -> str:
    """Return tan(a - b) for tan a = size and tan b = point."""
    if math.isinf(point):
        return writer.add("Div", writer.double(-1.0), size)
    p, one = writer.double(point), writer.double(1.0)
    above = writer.add("Sub", size, p)
    return writer.add("Div", above, writer.add("Add", one, writer.add("Mul", p, size)))


def _atan(writer: GraphWriter, x: str) -> str:
    size = writer.add("Abs", x)
    tiny = writer.add("Less", size, writer.double(_TINY))
    return writer.where(tiny, x, signed_as(writer, x, _arc_tangent(writer, size)))


def _one_less(writer: GraphWriter, x: str) -> tuple[str, str]:
    """Return 1 - x and 1 + x."""
    one = writer.double(1.0)
    return writer.add("Sub", one, x), writer.add("Add", one, x)


def _asin(writer: GraphWriter, x: str) -> str:
    """Return the arc sine; the root, and so all of it, is NaN outside [-1, 1]."""
    less, more = _one_less(writer, x)
    root = writer.add("Sqrt", writer.add("Mul", less, more))
    return _atan(writer, writer.add("Div", x, root))


def _acos(writer: GraphWriter, x: str) -> str:
    less, more = _one_less(writer, x)
    root = writer.add("Sqrt", writer.add("Div", less, more))
    return writer.add("Mul", writer.double(2.0), _arc_tangent(writer, root))


def _is_negative(writer: GraphWriter, x: str) -> str:
    """Return whether x is below zero or is -0.0."""
    zero = writer.double(0.0)
    turned = writer.add("Less", writer.add("Div", writer.double(1.0), x), zero)
    below = writer.add("Less", x, zero)
    return writer.either(below, writer.both(writer.add("Equal", x, zero), turned))


def _atan2(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    y, x = map(lowerer.doubles, call.arguments)
    zero, one = writer.double(0.0), writer.double(1.0)
    ratio = writer.add("Abs", writer.add("Div", y, x))
    both_infinite = writer.both(writer.add("IsInf", y), writer.add("IsInf", x))
    ratio = writer.where(both_infinite, one, ratio)
    ratio = writer.where(writer.add("Equal", y, zero), zero, ratio)
    angle = _atan(writer, ratio)
    left = writer.add("Sub", angle, writer.double(_PI_REST))
    other = writer.add("Sub", writer.double(math.pi), left)
    angle = writer.where(_is_negative(writer, x), other, angle)
    angle = writer.where(_is_negative(writer, y), writer.add("Neg", angle), angle)
    missing = writer.either(writer.add("IsNaN", x), writer.add("IsNaN", y))
    return Doubles(writer.where(missing, lowerer.null_double(), angle))


def _haversine(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    lat1, lon1, lat2, lon2 = map(lowerer.doubles, call.arguments)
    radian, half = writer.double(RADIANS_PER_DEGREE), writer.double(0.5)

    def squared(first: str, second: str) -> str:
        apart = writer.add("Sub", second, first)
        angle = writer.add("Mul", writer.add("Mul", apart, radian), half)
        sine = writer.add("Sin", angle)
        return _finite(writer, apart, writer.add("Mul", sine, sine))

    cosines = [writer.add("Cos", writer.add("Mul", each, radian)) for each in (lat1, lat2)]
    scale = writer.add("Mul", *cosines)
    chord = writer.add("Add", squared(lat1, lat2), writer.add("Mul", scale, squared(lon1, lon2)))
    root = writer.add("Min", writer.double(1.0), writer.add("Sqrt", chord))
    found = writer.add("Mul", writer.double(2.0 * EARTH_RADIUS_KM), _asin(writer, root))
    return Doubles(writer.where(writer.add("IsNaN", chord), chord, found))


LOWERINGS: dict[str, Lowering] = {
    "sin": of_one(_sin),
    "cos": of_one(_cos),
    "tan": of_one(_tan),
    "asin": of_one(_asin),
    "acos": of_one(_acos),
    "atan": of_one(_atan),
    "atan2": _atan2,
    "haversine_km": _haversine,
}
"""Function name to its lowering."""
