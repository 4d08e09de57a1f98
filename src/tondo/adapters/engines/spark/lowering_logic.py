"""Arithmetic, comparison, logic, choice and casts in Spark.

Nothing is lowered to `nullif` or `between`: Spark rewrites those into parts that a lambda cannot
hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import (
    Emitter,
    Lowering,
    called,
    chosen,
    double_sql,
    function,
    string_sql,
    template,
    whole_sql,
)
from tondo.language.functions.times import EARLIEST_US, LATEST_US
from tondo.language.values import DAY_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.language.tree import Call

# Not `$`, before which Java lets a line end pass.
_NUMBER = string_sql(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\z")
_WHOLE = string_sql(r"^[+-]?[0-9]{1,40}\z")
_INSTANT = string_sql(
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?)?(Z|\+00:00)?\z"
)
_ZERO = double_sql(0.0)
INFINITE = double_sql(float("inf"))
_OPERATORS = {"add": "+", "subtract": "-", "multiply": "*"}
_COMPARISONS = {
    "equal": "=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}


def within(number: str, low: str, high: str) -> str:
    """Return the SQL of whether a number lies between both."""
    return called("and", called(">=", number, low), called("<=", number, high))


def floor_div(number: str, unit: int) -> str:
    """Return the SQL of a BIGINT divided and rounded down."""
    divisor = whole_sql(unit)
    return called("div", called("-", number, called("pmod", number, divisor)), divisor)


def _divided(operator: str) -> Callable[[Emitter, Call], str]:
    def sql(emitter: Emitter, call: Call) -> str:
        left, right = map(emitter.raw, call.arguments)
        divisor = emitter.shared(right, lambda y: chosen(called("=", y, _ZERO), "NULL", y))
        return called(operator, left, divisor)

    return sql


def _between(emitter: Emitter, call: Call) -> str:
    subject, low, high = map(emitter.plain, call.arguments)
    return emitter.shared(subject, lambda x: within(x, low, high))


def _case(emitter: Emitter, call: Call) -> str:
    parts = list(map(emitter.plain, call.arguments))
    return chosen(*parts, *[] if len(parts) % 2 else ["NULL"])


def _nullif(emitter: Emitter, call: Call) -> str:
    left, right = map(emitter.plain, call.arguments)
    return emitter.shared(left, lambda x: chosen(called("=", x, right), "NULL", x))


def _cast_double(emitter: Emitter, call: Call) -> str:
    argument = call.arguments[0]
    text = emitter.plain(argument)
    if argument.type != "string":
        return f"CAST({text} AS DOUBLE)"

    def body(s: str) -> str:
        number = f"try_cast({s} AS DOUBLE)"
        finite = called("<", called("abs", number), INFINITE)
        return chosen(called("and", called("rlike", s, _NUMBER), finite), number, "NULL")

    return emitter.shared(text, body)


def _cast_id(emitter: Emitter, call: Call) -> str:
    text = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "id":
        return text
    return emitter.shared(
        text,
        lambda s: chosen(called("rlike", s, _WHOLE), f"try_cast({s} AS BIGINT)", "NULL"),
    )


def _cast_bool(emitter: Emitter, call: Call) -> str:
    text = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "bool":
        return text
    return emitter.shared(
        text,
        lambda s: chosen(
            called("=", s, "'true'"), "TRUE", called("=", s, "'false'"), "FALSE", "NULL"
        ),
    )


def _instant_of_text(text: str) -> str:
    """Return the microseconds of a text that writes an instant, else null."""
    instant = f"unix_micros(try_cast({text} AS TIMESTAMP))"
    known = within(instant, whole_sql(EARLIEST_US), whole_sql(LATEST_US))
    return chosen(called("and", called("rlike", text, _INSTANT), known), instant, "NULL")


def _cast_timestamp(emitter: Emitter, call: Call) -> str:
    low, high = whole_sql(-(-EARLIEST_US // DAY_US)), whole_sql(LATEST_US // DAY_US)

    def of_days(days: str) -> str:
        kept = chosen(within(days, low, high), days, "NULL")
        return called("*", kept, whole_sql(DAY_US))

    of_text = call.arguments[0].type == "string"
    return emitter.shared(
        emitter.plain(call.arguments[0]), _instant_of_text if of_text else of_days
    )


def _cast_date(emitter: Emitter, call: Call) -> str:
    def of_text(text: str) -> str:
        days = emitter.shared(_instant_of_text(text), lambda us: floor_div(us, DAY_US))
        return chosen(called("=", called("length", text), "10"), days, "NULL")

    argument = emitter.plain(call.arguments[0])
    if call.arguments[0].type == "string":
        return emitter.shared(argument, of_text)
    return emitter.shared(argument, lambda us: floor_div(us, DAY_US))


LOWERINGS: dict[str, Lowering] = {
    **{name: function(sign, makes_nan=True, carries_nan=True) for name, sign in _OPERATORS.items()},
    "divide": Lowering(_divided("/"), makes_nan=True, carries_nan=True),
    "mod": Lowering(_divided("%"), makes_nan=True, carries_nan=True),
    "negate": function("negative", carries_nan=True),
    **{name: function(sign) for name, sign in _COMPARISONS.items()},
    "not_equal": template("`not`(`=`({0}, {1}))"),
    "and": function("and"),
    "or": function("or"),
    "not": function("not"),
    "between": Lowering(_between),
    "in": function("in"),
    "is_null": function("isnull"),
    "is_true": function("coalesce", "FALSE"),
    "is_false": template("coalesce(`not`({0}), FALSE)"),
    "is_distinct": template("`not`(`<=>`({0}, {1}))"),
    "case": Lowering(_case),
    "coalesce": function("coalesce"),
    "nullif": Lowering(_nullif),
    "greatest": function("greatest"),
    "least": function("least"),
    "cast_double": Lowering(_cast_double),
    "cast_id": Lowering(_cast_id),
    "cast_bool": Lowering(_cast_bool),
    "cast_string": template("CAST({0} AS STRING)"),
    "cast_date": Lowering(_cast_date),
    "cast_timestamp": Lowering(_cast_timestamp),
}
"""Function name to its lowering."""
