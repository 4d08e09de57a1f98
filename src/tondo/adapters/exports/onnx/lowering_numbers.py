"""Rounding, roots, logarithms, powers and clipping in ONNX, in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx.forms import Doubles, Form
from tondo.adapters.exports.onnx.lowerer import constant_of
from tondo.adapters.exports.onnx.writer import FLOAT64
from tondo.language.functions.numeric import DEGREES_PER_RADIAN, RADIANS_PER_DEGREE

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.lowerer import Lowerer, Lowering
    from tondo.adapters.exports.onnx.writer import GraphWriter
    from tondo.language.tree import Call

OfOne = Callable[["GraphWriter", str], str]
"""Writes what a function makes of one number."""

_SPLITTER = 2.0**27 + 1
"""Veltkamp's constant: cuts a double into two halves whose products are exact (Dekker 1971)."""


def of_one(body: OfOne) -> Lowering:
    """Return the lowering of a function of one number."""

    def lowered(lowerer: Lowerer, call: Call) -> Form:
        return Doubles(body(lowerer.writer, lowerer.doubles(call.arguments[0])))

    return lowered


def _plain(operator: str) -> Lowering:
    """Return the lowering where ONNX's operator answers NaN exactly where the language is null."""
    return of_one(lambda writer, x: writer.add(operator, x))


def signed_as(writer: GraphWriter, x: str, magnitude: str) -> str:
    """Return the magnitude with the sign of x, which is not -0.0."""
    negative = writer.add("Less", x, writer.double(0.0))
    return writer.where(negative, writer.add("Neg", magnitude), magnitude)


def truncated(writer: GraphWriter, x: str) -> str:
    """Return x without its fraction."""
    negative = writer.add("Less", x, writer.double(0.0))
    return writer.where(negative, writer.add("Ceil", x), writer.add("Floor", x))


def _sign(writer: GraphWriter, x: str) -> str:
    zero = writer.double(0.0)
    above = writer.cast(writer.add("Greater", x, zero), FLOAT64)
    below = writer.cast(writer.add("Less", x, zero), FLOAT64)
    return writer.where(writer.add("IsNaN", x), x, writer.add("Sub", above, below))


def rounded(writer: GraphWriter, x: str) -> str:
    """Return x to a whole number, half away from zero."""
    size = writer.add("Abs", x)
    floor = writer.add("Floor", size)
    half = writer.add("GreaterOrEqual", writer.add("Sub", size, floor), writer.double(0.5))
    magnitude = writer.add("Add", floor, writer.cast(half, FLOAT64))
    zero = writer.add("Equal", x, writer.double(0.0))
    return writer.where(zero, x, signed_as(writer, x, magnitude))


def _round(lowerer: Lowerer, call: Call) -> Form:
    digits = constant_of(call.arguments[1]) if len(call.arguments) > 1 else 0.0
    writer, x = lowerer.writer, lowerer.doubles(call.arguments[0])
    if not isinstance(digits, float):
        return Doubles(lowerer.null_double())
    if digits == 0.0:
        return Doubles(rounded(writer, x))
    by = _to_decimals if digits > 0 else _to_tens
    return Doubles(by(writer, x, 10.0 ** abs(int(digits))))


def _to_tens(writer: GraphWriter, x: str, unit: float) -> str:
    """Return x to a multiple of `unit`, rounded once: the remainder, and what lacks, are exact."""
    size, u = writer.add("Abs", x), writer.double(unit)
    rest = writer.add("Mod", size, u, fmod=1)
    twice = writer.add("Mul", rest, writer.double(2.0))
    up = writer.add("Add", size, writer.add("Sub", u, rest))
    down = writer.add("Sub", size, rest)
    magnitude = writer.where(writer.add("GreaterOrEqual", twice, u), up, down)
    kept = writer.either(
        writer.add("Equal", x, writer.double(0.0)), writer.add("IsInf", x), writer.add("IsNaN", x)
    )
    return writer.where(kept, x, signed_as(writer, x, magnitude))


def _to_decimals(writer: GraphWriter, x: str, scale: float) -> str:
    """Return x to a multiple of 1 / scale, deciding on the exact product x * scale.

    The product is p + e without error (Dekker 1971). From 2**53 on, x itself is nearest.
    """
    size, s = writer.add("Abs", x), writer.double(scale)
    p = writer.add("Mul", size, s)
    floor = writer.add("Floor", p)
    rest = writer.add("Sub", writer.add("Sub", p, floor), writer.double(0.5))
    up = writer.add("GreaterOrEqual", rest, writer.add("Neg", _lost(writer, size, p, scale)))
    raised = writer.add("Add", floor, writer.cast(up, FLOAT64))
    magnitude = writer.add("Div", raised, s)
    tiny = writer.add("Less", p, writer.double(0.25))
    magnitude = writer.where(tiny, writer.double(0.0), magnitude)
    kept = writer.either(
        writer.add("Equal", x, writer.double(0.0)),
        writer.add("GreaterOrEqual", p, writer.double(2.0**53)),
        writer.add("IsNaN", x),
    )
    return writer.where(kept, x, signed_as(writer, x, magnitude))


def _lost(writer: GraphWriter, size: str, product: str, scale: float) -> str:
    """Return what the product of size and scale lost in rounding, exactly."""
    big = scale * _SPLITTER
    scale_high = big - (big - scale)
    high_s, low_s = writer.double(scale_high), writer.double(scale - scale_high)
    cut = writer.add("Mul", size, writer.double(_SPLITTER))
    high = writer.add("Sub", cut, writer.add("Sub", cut, size))
    low = writer.add("Sub", size, high)
    found = writer.add("Sub", writer.add("Mul", high, high_s), product)
    found = writer.add("Add", found, writer.add("Mul", high, low_s))
    found = writer.add("Add", found, writer.add("Mul", low, high_s))
    return writer.add("Add", found, writer.add("Mul", low, low_s))


def _logarithm(base: float | None) -> OfOne:
    factor = None if base is None else 1.0 / math.log(base)

    def body(writer: GraphWriter, x: str) -> str:
        found = writer.add("Log", x)
        if factor is not None:
            found = writer.add("Mul", found, writer.double(factor))
        positive = writer.add("Greater", x, writer.double(0.0))
        return writer.where(positive, found, writer.double(math.nan))

    return body


def _log1p(writer: GraphWriter, x: str) -> str:
    """Return ln(1 + x), exact for small x (Kahan; Goldberg 1991, theorem 4)."""
    one = writer.double(1.0)
    u = writer.add("Add", one, x)
    scaled = writer.add("Div", x, writer.add("Sub", u, one))
    found = writer.add("Mul", writer.add("Log", u), scaled)
    kept = writer.either(writer.add("Equal", u, one), writer.add("IsInf", x))
    found = writer.where(kept, x, found)
    above = writer.add("Greater", x, writer.double(-1.0))
    return writer.where(above, found, writer.double(math.nan))


def _expm1(writer: GraphWriter, x: str) -> str:
    """Return exp(x) - 1, exact for small x (Kahan; Higham 2002, section 1.14.1)."""
    one = writer.double(1.0)
    u = writer.add("Exp", x)
    less = writer.add("Sub", u, one)
    scaled = writer.add("Div", x, writer.add("Log", u))
    near = writer.where(writer.add("Equal", u, one), x, writer.add("Mul", less, scaled))
    close = writer.add("LessOrEqual", writer.add("Abs", x), one)
    return writer.where(close, near, less)


def _power(lowerer: Lowerer, call: Call) -> Form:
    writer, nan = lowerer.writer, lowerer.null_double()
    x, y = map(lowerer.doubles, call.arguments)
    zero = writer.double(0.0)
    missing = writer.either(
        writer.add("IsNaN", x),
        writer.add("IsNaN", y),
        writer.both(writer.add("Equal", x, zero), writer.add("Less", y, zero)),
    )
    return Doubles(writer.where(missing, nan, writer.add("Pow", x, y)))


def _clip(lowerer: Lowerer, call: Call) -> Form:
    writer = lowerer.writer
    x, low, high = map(lowerer.doubles, call.arguments)
    held = writer.where(writer.add("Greater", x, high), high, x)
    held = writer.where(writer.add("Less", x, low), low, held)
    missing = writer.either(writer.add("IsNaN", low), writer.add("IsNaN", high))
    return Doubles(writer.where(missing, lowerer.null_double(), held))


def _bucketize(lowerer: Lowerer, call: Call) -> Form:
    writer, x = lowerer.writer, lowerer.doubles(call.arguments[0])
    bounds = [float(str(constant_of(each))) for each in call.arguments[1:]]
    passed = writer.add("GreaterOrEqual", x, writer.double(*bounds))
    count = writer.summed(writer.cast(passed, FLOAT64))
    return Doubles(writer.where(writer.add("IsNaN", x), x, count))


def _times(factor: float) -> OfOne:
    return lambda writer, x: writer.add("Mul", x, writer.double(factor))


LOWERINGS: dict[str, Lowering] = {
    "abs": _plain("Abs"),
    "ceil": _plain("Ceil"),
    "floor": _plain("Floor"),
    "sqrt": _plain("Sqrt"),
    "exp": _plain("Exp"),
    "trunc": of_one(truncated),
    "sign": of_one(_sign),
    "round": _round,
    "ln": of_one(_logarithm(None)),
    "log2": of_one(_logarithm(2.0)),
    "log10": of_one(_logarithm(10.0)),
    "log1p": of_one(_log1p),
    "expm1": of_one(_expm1),
    "power": _power,
    "radians": of_one(_times(RADIANS_PER_DEGREE)),
    "degrees": of_one(_times(DEGREES_PER_RADIAN)),
    "clip": _clip,
    "bucketize": _bucketize,
}
"""Function name to its lowering."""
