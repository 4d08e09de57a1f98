"""Rounding, logarithms, powers, angles and shaping in Spark.

Spark's own floor, ceil and round give whole numbers or decimals of a double's shortest text;
`rint` (Java's, half to even) is exact and keeps the sign of zero, so all rounding begins with it.
Spark holds NaN to be equal to itself and greater than all else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import (
    Emitter,
    Lowering,
    called,
    chosen,
    constant_of,
    double_sql,
    function,
    template,
    whole_sql,
)
from tondo.adapters.engines.spark.lowering_logic import INFINITE
from tondo.core.columns import item_type
from tondo.language.functions.numeric import (
    DEGREES_PER_RADIAN,
    EARTH_RADIUS_KM,
    RADIANS_PER_DEGREE,
)
from tondo.language.functions.shaping import HASH_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.language.tree import Call

_ZERO = double_sql(0.0)
_HALF = double_sql(0.5)
_ONE = double_sql(1.0)
_PI = double_sql(math.pi)
_RADIAN = double_sql(RADIANS_PER_DEGREE)
_SPLITTER = 2.0**27 + 1
"""Veltkamp's constant: cuts a double into two halves whose products are exact (Dekker 1971)."""


def _of_one(body: Callable[[str], str]) -> Callable[[Emitter, Call], str]:
    """Return the lowering of a function whose one argument is written several times."""

    def sql(emitter: Emitter, call: Call) -> str:
        return emitter.shared(emitter.raw(call.arguments[0]), body)

    return sql


def _floor(x: str) -> str:
    whole = called("rint", x)
    return called("-", whole, chosen(called(">", whole, x), _ONE, _ZERO))


def _ceil(x: str) -> str:
    return called("negative", _floor(called("negative", x)))


def trunc_whole(x: str) -> str:
    """Return the SQL of x without its fraction."""
    return chosen(called("<", x, _ZERO), _ceil(x), _floor(x))


def round_whole(x: str) -> str:
    """Return the SQL of x rounded half away from zero."""
    whole = called("rint", x)
    up = called("and", called(">", x, _ZERO), called("=", called("-", x, whole), _HALF))
    down = called("and", called("<", x, _ZERO), called("=", called("-", whole, x), _HALF))
    return chosen(up, called("+", whole, _ONE), down, called("-", whole, _ONE), whole)


def _round(emitter: Emitter, call: Call) -> str:
    digits = constant_of(call.arguments[1]) if len(call.arguments) > 1 else 0.0
    assert isinstance(digits, float)
    text = emitter.raw(call.arguments[0])
    if digits == 0.0:
        return emitter.shared(text, round_whole)
    rounded = _round_decimals if digits > 0 else _round_tens
    return emitter.shared(text, lambda x: rounded(emitter, x, 10.0 ** abs(int(digits))))


def _signed(x: str, magnitude: str) -> str:
    return chosen(called("<", x, _ZERO), called("negative", magnitude), magnitude)


def _round_tens(emitter: Emitter, x: str, unit: float) -> str:
    """Return x to a multiple of `unit`, rounded once: the remainder, and what lacks, are exact."""
    u = double_sql(unit)
    size = called("abs", x)
    rest = called("%", size, u)
    up, down = called("+", size, called("-", u, rest)), called("-", size, rest)
    magnitude = chosen(called(">=", called("*", rest, "2.0D"), u), up, down)
    body = emitter.shared(magnitude, lambda m: _signed(x, m))
    kept = called("or", called(">=", size, INFINITE), called("=", x, _ZERO))
    return chosen(kept, x, body)


def _round_decimals(emitter: Emitter, x: str, scale: float) -> str:
    """Return x to a multiple of 1 / scale, deciding on the exact product x * scale.

    The product is p + e without error (Dekker 1971). From 2**53 on, x itself is nearest.
    """
    s, size = double_sql(scale), called("abs", x)

    def of_product(p: str) -> str:
        whole = _floor(p)
        error = _product_error(size, p, scale)
        beyond = called("-", called("-", p, whole), _HALF)
        up = chosen(called(">=", beyond, called("negative", error)), _ONE, _ZERO)
        magnitude = called("/", called("+", whole, up), s)
        body = emitter.shared(magnitude, lambda m: _signed(x, m))
        kept = called("or", called("=", x, _ZERO), called(">=", p, double_sql(2.0**53)))
        tiny = called("<", p, double_sql(0.25))
        return chosen(kept, x, tiny, _signed(x, _ZERO), body)

    return emitter.shared(called("*", size, s), of_product)


def _product_error(size: str, product: str, scale: float) -> str:
    """Return the SQL of what `product` lacks of size * scale."""
    high = scale * _SPLITTER - (scale * _SPLITTER - scale)
    sh, sl = double_sql(high), double_sql(scale - high)
    cut = called("*", size, double_sql(_SPLITTER))
    ah = called("-", cut, called("-", cut, size))
    al = called("-", size, ah)
    error = called("-", called("*", ah, sh), product)
    for left, right in ((ah, sl), (al, sh), (al, sl)):
        error = called("+", error, called("*", left, right))
    return error


def _power(emitter: Emitter, call: Call) -> str:
    base, exponent = map(emitter.plain, call.arguments)

    def body(x: str, y: str) -> str:
        # Java's power of 1 and an infinity is NaN, C's is 1.
        one = called("=", called("abs", x), _ONE)
        endless = called("=", called("abs", y), INFINITE)
        real = called("or", called("not", called("=", x, _ZERO)), called(">=", y, _ZERO))
        return chosen(called("and", one, endless), _ONE, real, called("pow", x, y), "NULL")

    return emitter.shared(base, lambda x: emitter.shared(exponent, lambda y: body(x, y)))


def _atan2(emitter: Emitter, call: Call) -> str:
    """Return the angle; Spark's own loses the signs of zeros."""
    ordinate, abscissa = map(emitter.plain, call.arguments)

    def negative(number: str) -> str:
        under = called("<", called("pow", number, "-1.0D"), _ZERO)
        return called("or", called("<", number, _ZERO), under)

    def body(y: str, x: str) -> str:
        zero = chosen(negative(x), _PI, _ZERO)
        signed = chosen(negative(y), called("negative", zero), zero)
        angle = chosen(called("=", y, _ZERO), signed, called("atan2", y, x))
        return chosen(called("isnull", called("+", y, x)), "NULL", angle)

    return emitter.shared(ordinate, lambda y: emitter.shared(abscissa, lambda x: body(y, x)))


def _haversine(emitter: Emitter, call: Call) -> str:
    places = map(emitter.raw, call.arguments)

    def squared(start: str, stop: str) -> str:
        half = called("*", called("*", called("-", stop, start), _RADIAN), _HALF)
        return emitter.shared(called("sin", half), lambda h: called("*", h, h))

    def scale(lat: str) -> str:
        return called("cos", called("*", lat, _RADIAN))

    def of_chord(chord: str) -> str:
        angle = called("asin", called("least", _ONE, called("sqrt", chord)))
        km = called("*", double_sql(2.0 * EARTH_RADIUS_KM), angle)
        real = called("and", called("not", called("isnan", chord)), called(">=", chord, _ZERO))
        return chosen(real, km, "NULL")

    def of_places(lat1: str, lon1: str, lat2: str, lon2: str) -> str:
        scaled = called("*", called("*", scale(lat1), scale(lat2)), squared(lon1, lon2))
        return emitter.shared(called("+", squared(lat1, lat2), scaled), of_chord)

    first, along1, second, along2 = places
    return emitter.shared(
        first,
        lambda lat1: emitter.shared(second, lambda lat2: of_places(lat1, along1, lat2, along2)),
    )


def _clip(emitter: Emitter, call: Call) -> str:
    subject, least, most = map(emitter.plain, call.arguments)

    def body(x: str, low: str, high: str) -> str:
        unknown = called("isnull", called("-", low, high))
        return chosen(unknown, "NULL", called("<", x, low), low, called(">", x, high), high, x)

    def bounded(x: str) -> str:
        return emitter.shared(
            least, lambda low: emitter.shared(most, lambda high: body(x, low, high))
        )

    return emitter.shared(subject, bounded)


def _bucketize(emitter: Emitter, call: Call) -> str:
    subject, *bounds = map(emitter.plain, call.arguments)

    def body(x: str) -> str:
        parts = [called("isnull", x), "NULL"]
        for place, bound in reversed(list(enumerate(bounds, start=1))):
            parts += [called(">=", x, bound), double_sql(float(place))]
        return chosen(*parts, _ZERO)

    return emitter.shared(subject, body)


def _hash_bucket(emitter: Emitter, call: Call) -> str:
    value, count = emitter.plain(call.arguments[0]), constant_of(call.arguments[1])
    assert isinstance(count, float)

    def bucket(each: str) -> str:
        written = f"CAST(CAST({each} AS STRING) AS BINARY)"
        digits = f"conv(substr(md5({written}), 1, {HASH_DIGITS}), 16, 10)"
        return f"CAST({called('%', f'CAST({digits} AS BIGINT)', whole_sql(int(count)))} AS DOUBLE)"

    listed = item_type(call.arguments[0].type) is not None
    return emitter.mapped(value, bucket) if listed else bucket(value)


def _position_in(emitter: Emitter, call: Call) -> str:
    subject, *values = map(emitter.plain, call.arguments)
    return f"CAST(array_position(array({', '.join(values)}), {subject}) AS DOUBLE)"


def _carried(name: str, *, makes_nan: bool = False) -> Lowering:
    return function(name, makes_nan=makes_nan, carries_nan=True)


LOWERINGS: dict[str, Lowering] = {
    "ceil": Lowering(_of_one(_ceil), carries_nan=True),
    "floor": Lowering(_of_one(_floor), carries_nan=True),
    "trunc": Lowering(_of_one(trunc_whole), carries_nan=True),
    "round": Lowering(_round, carries_nan=True),
    **{name: _carried(name) for name in ("abs", "exp", "expm1", "atan")},
    # Null at and below the point where they end.
    **{name: _carried(name) for name in ("ln", "log1p", "log2", "log10")},
    **{name: _carried(name, makes_nan=True) for name in ("sqrt", "sin", "cos", "tan")},
    **{name: _carried(name, makes_nan=True) for name in ("asin", "acos")},
    "power": Lowering(_power, makes_nan=True),
    "atan2": Lowering(_atan2),
    # Adding 0.0 turns -0.0 into 0.0.
    "sign": template("`+`(sign({0}), 0.0D)"),
    "radians": function("*", _RADIAN, carries_nan=True),
    "degrees": function("*", double_sql(DEGREES_PER_RADIAN), carries_nan=True),
    "haversine_km": Lowering(_haversine),
    "clip": Lowering(_clip),
    "bucketize": Lowering(_bucketize),
    "hash_bucket": Lowering(_hash_bucket),
    "position_in": Lowering(_position_in),
}
"""Function name to its lowering."""
