"""Casts, each written out: nothing is ever cast silently."""

from __future__ import annotations

import math
import re
from typing import Any

from tondo.language.functions.row import Function
from tondo.language.functions.times import EARLIEST_US, LATEST_US
from tondo.language.values import DAY_US

CAST_TYPES = {
    "double": "cast_double",
    "string": "cast_string",
    "varchar": "cast_string",
    "text": "cast_string",
    "date": "cast_date",
    "timestamp": "cast_timestamp",
}
"""The type as written in a cast to the function that casts."""

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


def cast_date(x: int) -> int:
    """Return the UTC date of an instant."""
    return x // DAY_US


def cast_timestamp(x: int) -> int | None:
    """Return midnight UTC of a date, None outside the calendar."""
    return x * DAY_US if EARLIEST_US <= x * DAY_US <= LATEST_US else None


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
        "cast_date",
        ("timestamp -> date",),
        cast_date,
        "The date in UTC.",
        ("cast(timestamp '1969-12-31 23:00:00' as date) = date '1969-12-31'", True),
    ),
    _cast(
        "cast_timestamp",
        ("date -> timestamp",),
        cast_timestamp,
        "Midnight UTC of the date.",
        ("epoch(cast(date '1970-01-02' as timestamp))", 86400.0),
    ),
)
