"""Rounding, logarithms, powers, angles and shaping in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb.lowering_emitter import (
    Emitter,
    Lowering,
    constant_of,
    double_sql,
    template,
)
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
_FEW_VALUES = 8
"""So many values are compared one by one faster than a list is searched."""
_SPLITTER = 2.0**27 + 1
"""Veltkamp's constant: cuts a double into two halves whose products are exact (Dekker 1971)."""


def _of_one(body: Callable[[str], str]) -> Callable[[Emitter, Call], str]:
    """Return the lowering of a function whose one argument is written several times."""

    def sql(emitter: Emitter, call: Call) -> str:
        return emitter.shared(emitter.raw(call.arguments[0]), body)

    return sql


def _logarithm(name: str) -> Lowering:
    body = f"{name}(nullif({{x}}, {_ZERO}))"
    return Lowering(_of_one(lambda x: body.format(x=x)), makes_nan=True, carries_nan=True)


def _log1p(x: str) -> str:
    """Return ln(1 + x), exact for small x (Kahan; Goldberg 1991, theorem 4)."""
    u = f"({_ONE} + {x})"
    return (
        f"CASE WHEN {x} <= {double_sql(-1.0)} THEN NULL WHEN {u} = {_ONE} THEN {x}"
        f" WHEN isinf({x}) OR isnan({x}) THEN {x}"
        f" ELSE ln({u}) * ({x} / ({u} - {_ONE})) END"
    )


def _expm1(x: str) -> str:
    """Return exp(x) - 1, exact for small x (Kahan; Higham 2002, section 1.14.1)."""
    return (
        f"CASE WHEN abs({x}) > {_ONE} OR isnan({x}) THEN exp({x}) - {_ONE}"
        f" WHEN exp({x}) = {_ONE} THEN {x}"
        f" ELSE (exp({x}) - {_ONE}) * ({x} / ln(exp({x}))) END"
    )


def _power(emitter: Emitter, call: Call) -> str:
    base, exponent = map(emitter.plain, call.arguments)
    return emitter.shared(
        base,
        lambda x: emitter.shared(
            exponent,
            lambda y: f"CASE WHEN {x} <> {_ZERO} OR {y} >= {_ZERO} THEN pow({x}, {y}) END",
        ),
    )


def _round(emitter: Emitter, call: Call) -> str:
    digits = constant_of(call.arguments[1]) if len(call.arguments) > 1 else 0.0
    assert isinstance(digits, float)
    text = emitter.raw(call.arguments[0])
    if digits == 0.0:
        return f"round({text})"
    rounded = _round_decimals if digits > 0 else _round_tens
    return emitter.shared(text, lambda x: rounded(emitter, x, 10.0 ** abs(int(digits))))


def _signed(x: str, magnitude: str) -> str:
    return f"CASE WHEN {x} < {_ZERO} THEN -({magnitude}) ELSE {magnitude} END"


def _round_tens(emitter: Emitter, x: str, unit: float) -> str:
    """Return x to a multiple of `unit`, rounded once: the remainder, and what lacks, are exact."""
    u = double_sql(unit)
    rest = f"(abs({x}) % {u})"
    up, down = f"abs({x}) + ({u} - {rest})", f"abs({x}) - {rest}"
    magnitude = f"CASE WHEN {rest} * 2 >= {u} THEN {up} ELSE {down} END"
    body = emitter.shared(magnitude, lambda m: _signed(x, m))
    return f"CASE WHEN isinf({x}) OR {x} = {_ZERO} THEN {x} ELSE {body} END"


def _round_decimals(emitter: Emitter, x: str, scale: float) -> str:
    """Return x to a multiple of 1 / scale, deciding on the exact product x * scale.

    The product is p + e without error (Dekker 1971). From 2**53 on, x itself is nearest.
    """
    s = double_sql(scale)
    high = scale * _SPLITTER - (scale * _SPLITTER - scale)
    sh, sl = double_sql(high), double_sql(scale - high)
    a, c = f"abs({x})", f"(abs({x}) * {double_sql(_SPLITTER)})"
    p = f"({a} * {s})"
    ah = f"({c} - ({c} - {a}))"
    al = f"({a} - {ah})"
    e = f"((({ah} * {sh} - {p}) + {ah} * {sl} + {al} * {sh}) + {al} * {sl})"
    up = f"(({p} - floor({p})) - {_HALF} >= -{e})"
    magnitude = f"(floor({p}) + CASE WHEN {up} THEN {_ONE} ELSE {_ZERO} END) / {s}"
    body = emitter.shared(magnitude, lambda m: _signed(x, m))
    kept = f"{x} = {_ZERO} OR isnan({x}) OR {p} >= {double_sql(2.0**53)}"
    tiny = f"{p} < {double_sql(0.25)}"
    return f"CASE WHEN {kept} THEN {x} WHEN {tiny} THEN {_signed(x, _ZERO)} ELSE {body} END"


def _haversine(emitter: Emitter, call: Call) -> str:
    lat1, lon1, lat2, lon2 = map(emitter.raw, call.arguments)
    radian = double_sql(RADIANS_PER_DEGREE)

    def squared(text: str) -> str:
        return emitter.shared(f"sin(({text}) * {radian} * {_HALF})", lambda h: f"({h} * {h})")

    return emitter.shared(
        lat1,
        lambda first: emitter.shared(
            lat2,
            lambda second: emitter.shared(
                f"{squared(f'{second} - {first}')} + cos({first} * {radian})"
                f" * cos({second} * {radian}) * {squared(f'{lon2} - {lon1}')}",
                lambda chord: (
                    f"CASE WHEN NOT isnan({chord}) AND {chord} >= {_ZERO}"
                    f" THEN {double_sql(2.0 * EARTH_RADIUS_KM)}"
                    f" * asin(least({_ONE}, sqrt({chord}))) END"
                ),
            ),
        ),
    )


def _clip(emitter: Emitter, call: Call) -> str:
    subject, low, high = map(emitter.plain, call.arguments)
    return emitter.shared(
        subject,
        lambda x: (
            f"CASE WHEN {low} IS NULL OR {high} IS NULL THEN NULL WHEN {x} < {low} THEN {low}"
            f" WHEN {x} > {high} THEN {high} ELSE {x} END"
        ),
    )


def _bucketize(emitter: Emitter, call: Call) -> str:
    subject, *bounds = map(emitter.plain, call.arguments)

    def body(x: str) -> str:
        whens = [
            f" WHEN {x} >= {bound} THEN {double_sql(float(place))}"
            for place, bound in reversed(list(enumerate(bounds, start=1)))
        ]
        return f"CASE WHEN {x} IS NULL THEN NULL{''.join(whens)} ELSE {_ZERO} END"

    return emitter.shared(subject, body)


def _hash_bucket(emitter: Emitter, call: Call) -> str:
    value, count = emitter.plain(call.arguments[0]), constant_of(call.arguments[1])
    assert isinstance(count, float)

    def bucket(each: str) -> str:
        hexadecimal = f"'0x' || substr(md5(CAST({each} AS VARCHAR)), 1, {HASH_DIGITS})"
        return f"CAST(CAST({hexadecimal} AS BIGINT) % {int(count)} AS DOUBLE)"

    listed = item_type(call.arguments[0].type) is not None
    return emitter.mapped(value, bucket) if listed else bucket(value)


def _position_in(emitter: Emitter, call: Call) -> str:
    subject, *values = map(emitter.plain, call.arguments)
    listed = f"[{', '.join(values)}]"

    def body(x: str) -> str:
        if len(values) <= _FEW_VALUES:
            whens = "".join(
                f" WHEN {x} = {value} THEN {double_sql(float(place))}"
                for place, value in enumerate(values, start=1)
            )
            return f"CASE{whens} WHEN {x} IS NOT NULL THEN {_ZERO} END"
        place = f"coalesce(list_position({listed}, {x}), 0)"
        return f"CASE WHEN {x} IS NOT NULL THEN CAST({place} AS DOUBLE) END"

    return emitter.shared(subject, body)


def _carried(name: str, *, makes_nan: bool = False) -> Lowering:
    return template(name + "({0})", makes_nan=makes_nan, carries_nan=True)


LOWERINGS: dict[str, Lowering] = {
    **{name: _carried(name) for name in ("abs", "ceil", "floor", "trunc", "exp", "atan")},
    **{name: _carried(name, makes_nan=True) for name in ("sqrt", "sin", "cos", "tan")},
    **{name: _carried(name, makes_nan=True) for name in ("asin", "acos")},
    **{name: _logarithm(name) for name in ("ln", "log2", "log10")},
    "log1p": Lowering(_of_one(_log1p), carries_nan=True),
    "expm1": Lowering(_of_one(_expm1), carries_nan=True),
    "power": Lowering(_power, makes_nan=True),
    "atan2": template("atan2({0}, {1})", carries_nan=True),
    "sign": template("CAST(sign({0}) AS DOUBLE)"),
    "round": Lowering(_round, carries_nan=True),
    "radians": template(f"({{0}} * {double_sql(RADIANS_PER_DEGREE)})", carries_nan=True),
    "degrees": template(f"({{0}} * {double_sql(DEGREES_PER_RADIAN)})", carries_nan=True),
    "haversine_km": Lowering(_haversine),
    "clip": Lowering(_clip),
    "bucketize": Lowering(_bucketize),
    "hash_bucket": Lowering(_hash_bucket),
    "position_in": Lowering(_position_in),
}
"""Function name to its lowering."""
