"""Casts, each written out: nothing is ever cast silently."""

from __future__ import annotations

import math
import re
from typing import Any

from tondo.language.functions.row import Function
from tondo.language.functions.times import EARLIEST_US, LATEST_US
from tondo.language.values import DAY_US, days_of_text, micros_of_text

CAST_TYPES = {
    "double": "cast_double",
    "id": "cast_id",
    "bool": "cast_bool",
    "string": "cast_string",
    "varchar": "cast_string",
    "text": "cast_string",
    "date": "cast_date",
    "timestamp": "cast_timestamp",
}
"""The type as written in a cast to the function that casts."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def cast_double(x: Any) -> float | None:
    """Return a number; text only in plain decimal or exponent form, else null.

    >>> cast_double("007"), cast_double("1e"), cast_double(True)
    (7.0, None, 1.0)
    """
    if not isinstance(x, str):
        return float(x)
    if _NUMBER.fullmatch(x) is None:
        return None
    number = float(x)
    return None if math.isinf(number) else number


def cast_string(x: Any) -> str:
    """Return an id in decimal, a truth value as true or false, text as it is."""
    return ("true" if x else "false") if isinstance(x, bool) else str(x)


def cast_id(x: Any) -> int | None:
    """Return the id that text writes in decimal, null for other text and beyond 64 bits.

    >>> cast_id("-007"), cast_id("1.0"), cast_id("9223372036854775808")
    (-7, None, None)
    """
    if not isinstance(x, str):
        return int(x)
    whole = int(x) if _WHOLE.fullmatch(x) else None
    return whole if whole is not None and -(2**63) <= whole < 2**63 else None


def cast_bool(x: Any) -> bool | None:
    """Return the truth value that text writes as true or false, null for other text."""
    return {"true": True, "false": False}.get(x) if isinstance(x, str) else x


def cast_date(x: Any) -> int | None:
    """Return the UTC date of an instant, or the date that text writes as 2013-04-01."""
    if isinstance(x, str):
        days = days_of_text(x)
        return None if days is None else _in_calendar(days * DAY_US, days)
    return int(x // DAY_US)


def cast_timestamp(x: Any) -> int | None:
    """Return midnight UTC of a date, or the instant in UTC that text writes."""
    if isinstance(x, str):
        micros = micros_of_text(x)
        return None if micros is None else _in_calendar(micros, micros)
    return _in_calendar(x * DAY_US, x * DAY_US)


def _in_calendar(instant_us: int, value: int) -> int | None:
    return value if EARLIEST_US <= instant_us <= LATEST_US else None


def _cast(name: str, signatures: tuple[str, ...], kernel: Any, doc: str, example: Any) -> Function:
    return Function(
        name=name,
        signatures=signatures,
        kernel=kernel,
        operator=f"cast(x as {name.removeprefix('cast_')})",
        group="Casts",
        doc=doc,
        example=example,
    )


ROWS = (
    _cast(
        "cast_double",
        ("string -> double", "bool -> double", "id -> double", "double -> double"),
        cast_double,
        "Text in decimal or exponent form, else null; true is 1; an id is rounded to a double.",
        ("cast('1e3' as double)", 1000.0),
    ),
    _cast(
        "cast_string",
        ("id -> string", "bool -> string", "string -> string"),
        cast_string,
        "An id in decimal; true or false. Doubles have no cast: engines would spell them apart.",
        ("cast(1 = 1 as string)", "true"),
    ),
    _cast(
        "cast_id",
        ("string -> id", "id -> id"),
        cast_id,
        "Text of an optional sign and digits, within 64 bits, else null. Doubles have no cast: a"
        " number that counts is no id.",
        ("cast('9007199254740993' as id) = 9007199254740993", True),
    ),
    _cast(
        "cast_bool",
        ("string -> bool", "bool -> bool"),
        cast_bool,
        "The texts true and false, else null.",
        ("cast('true' as bool)", True),
    ),
    _cast(
        "cast_date",
        ("timestamp -> date", "string -> date"),
        cast_date,
        "The date in UTC; text such as 2013-04-01, else null.",
        ("cast(timestamp '1969-12-31 23:00:00' as date) = date '1969-12-31'", True),
    ),
    _cast(
        "cast_timestamp",
        ("date -> timestamp", "string -> timestamp"),
        cast_timestamp,
        "Midnight UTC of the date; text such as 2013-04-01 06:30:15.25, in UTC, else null.",
        ("epoch(cast(date '1970-01-02' as timestamp))", 86400.0),
    ),
)
