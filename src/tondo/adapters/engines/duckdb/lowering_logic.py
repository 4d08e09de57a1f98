"""Arithmetic, comparison, logic, choice and casts in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb.lowering_emitter import Emitter, Lowering, double_sql, template
from tondo.language.functions.times import EARLIEST_US, LATEST_US
from tondo.language.values import DAY_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.language.tree import Call

_NUMBER = "[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?"
_ZONE = r"(Z|\+00:00)$"
_INSTANT = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    f"([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{{1,6}})?)?)?{_ZONE[:-1]}?"
)
_ZERO = double_sql(0.0)


def _divided(operator: str) -> Callable[[Emitter, Call], str]:
    def sql(emitter: Emitter, call: Call) -> str:
        left, right = map(emitter.raw, call.arguments)
        divisor = emitter.shared(right, lambda y: f"nullif({y}, {_ZERO})")
        return f"({left}{operator}{divisor})"

    return sql


def _listed(name: str) -> Callable[[Emitter, Call], str]:
    def sql(emitter: Emitter, call: Call) -> str:
        return f"{name}({', '.join(map(emitter.plain, call.arguments))})"

    return sql


def _in(emitter: Emitter, call: Call) -> str:
    subject, *items = map(emitter.plain, call.arguments)
    return f"({subject} IN ({', '.join(items)}))"


def _between(emitter: Emitter, call: Call) -> str:
    subject, low, high = map(emitter.plain, call.arguments)
    return emitter.shared(subject, lambda x: f"({x} >= {low} AND {x} <= {high})")


def _case(emitter: Emitter, call: Call) -> str:
    parts = list(map(emitter.plain, call.arguments))
    last = f" ELSE {parts.pop()}" if len(parts) % 2 else ""
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return "CASE" + "".join(f" WHEN {when} THEN {then}" for when, then in pairs) + last + " END"


def _nullif(emitter: Emitter, call: Call) -> str:
    left, right = map(emitter.plain, call.arguments)
    return emitter.shared(left, lambda x: f"nullif({x}, {right})")


def _cast_double(emitter: Emitter, call: Call) -> str:
    argument = call.arguments[0]
    text = emitter.plain(argument)
    if argument.type != "string":
        return f"CAST({text} AS DOUBLE)"
    return emitter.shared(
        text,
        lambda s: (
            f"CASE WHEN regexp_full_match({s}, '{_NUMBER}') AND isfinite(TRY_CAST({s} AS DOUBLE))"
            f" THEN TRY_CAST({s} AS DOUBLE) END"
        ),
    )


def _cast_id(emitter: Emitter, call: Call) -> str:
    text = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "id":
        return text
    return emitter.shared(
        text,
        lambda s: (
            f"CASE WHEN regexp_full_match({s}, '[+-]?[0-9]{{1,40}}')"
            f" THEN TRY_CAST({s} AS BIGINT) END"
        ),
    )


def _cast_bool(emitter: Emitter, call: Call) -> str:
    text = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "bool":
        return text
    return emitter.shared(
        text, lambda s: f"CASE WHEN {s} = 'true' THEN TRUE WHEN {s} = 'false' THEN FALSE END"
    )


def _instant_sql(text: str) -> str:
    """Return the microseconds of a text that writes an instant, else null."""
    instant = f"TRY_CAST(replace(regexp_replace({text}, '{_ZONE}', ''), 'T', ' ') AS TIMESTAMP)"
    return (
        f"CASE WHEN regexp_full_match({text}, '{_INSTANT}')"
        f" AND epoch_us({instant}) BETWEEN {EARLIEST_US} AND {LATEST_US}"
        f" THEN epoch_us({instant}) END"
    )


def _cast_date(emitter: Emitter, call: Call) -> str:
    micros = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "string":
        return emitter.shared(
            micros,
            lambda s: f"CASE WHEN length({s}) = 10 THEN ({_instant_sql(s)}) // {DAY_US} END",
        )
    return emitter.shared(
        micros, lambda us: f"(({us} - (({us} % {DAY_US}) + {DAY_US}) % {DAY_US}) // {DAY_US})"
    )


def _cast_timestamp(emitter: Emitter, call: Call) -> str:
    days = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "string":
        return emitter.shared(days, _instant_sql)
    low, high = -(-EARLIEST_US // DAY_US), LATEST_US // DAY_US
    return emitter.shared(
        days, lambda d: f"CASE WHEN {d} BETWEEN {low} AND {high} THEN {d} * {DAY_US} END"
    )


LOWERINGS: dict[str, Lowering] = {
    "add": template("({0} + {1})", makes_nan=True, carries_nan=True),
    "subtract": template("({0} - {1})", makes_nan=True, carries_nan=True),
    "multiply": template("({0} * {1})", makes_nan=True, carries_nan=True),
    "divide": Lowering(_divided(" / "), makes_nan=True, carries_nan=True),
    "mod": Lowering(_divided(" % "), makes_nan=True, carries_nan=True),
    "negate": template("(-{0})", carries_nan=True),
    "equal": template("({0} = {1})"),
    "not_equal": template("({0} <> {1})"),
    "less": template("({0} < {1})"),
    "less_equal": template("({0} <= {1})"),
    "greater": template("({0} > {1})"),
    "greater_equal": template("({0} >= {1})"),
    "and": template("({0} AND {1})"),
    "or": template("({0} OR {1})"),
    "not": template("(NOT {0})"),
    "between": Lowering(_between),
    "in": Lowering(_in),
    "is_null": template("({0} IS NULL)"),
    "is_true": template("coalesce({0}, FALSE)"),
    "is_false": template("coalesce(NOT {0}, FALSE)"),
    "is_distinct": template("({0} IS DISTINCT FROM {1})"),
    "case": Lowering(_case),
    "coalesce": Lowering(_listed("coalesce")),
    "nullif": Lowering(_nullif),
    "greatest": Lowering(_listed("greatest")),
    "least": Lowering(_listed("least")),
    "cast_double": Lowering(_cast_double),
    "cast_string": template("CAST({0} AS VARCHAR)"),
    "cast_id": Lowering(_cast_id),
    "cast_bool": Lowering(_cast_bool),
    "cast_date": Lowering(_cast_date),
    "cast_timestamp": Lowering(_cast_timestamp),
}
"""Function name to its lowering."""
