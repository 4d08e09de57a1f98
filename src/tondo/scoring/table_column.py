"""One column of a table, and what is said of a table that cannot be read."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from tondo.core.errors import CallerError

Kind = Literal["plain", "instant", "day"]


class TableColumn(NamedTuple):
    """The values of a column, None where missing."""

    kind: Kind
    """`plain` values are as in JSON; an `instant` is in microseconds, a `day` counts from 1970."""
    values: list[Any]


def lost_time(name: str) -> CallerError:
    """Build the error for a time that is finer than a microsecond."""
    return CallerError(
        "TD-SCORE-041",
        f"column '{name}' holds times that are finer than a microsecond",
        expected="whole microseconds",
        fix="Round the column before; nothing is rounded silently.",
        field=name,
    )


def unreadable(name: str, what: str) -> CallerError:
    """Build the error for a column of a type that no input has."""
    return CallerError(
        "TD-SCORE-041",
        f"column '{name}' is of a type that no input has: {what}",
        expected="numbers, truth values, text, times, dates, or lists of these",
        fix="Cast the column before, or leave it out where the model does not read it.",
        field=name,
    )


def not_a_table(what: str) -> CallerError:
    """Build the error for what is neither a row nor a table."""
    return CallerError(
        "TD-SCORE-040",
        f"this cannot be scored: {what}",
        expected="a row (a mapping), rows (a list of mappings), columns (a mapping of lists or"
        " arrays), or a table of pyarrow, pandas, polars or another library of Arrow",
        fix="Give a frame that is computed (`.collect()`), or rows as mappings.",
    )
