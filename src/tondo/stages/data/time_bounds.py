"""Ends of ranges of times: ISO text for people, numbers of the statistics' unit to compare."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tondo.core.columns import DATE, TIMESTAMP
from tondo.core.errors import DefinitionError
from tondo.core.instants import format_instant, to_micros
from tondo.stages.data.constraints import value_type

TIMES = (TIMESTAMP, DATE)
_DAY_US = 86_400_000_000
_ENDS = ("min", "max")


def bound_text(value: float, column_type: str) -> str:
    """Return an end of a range of times, in microseconds or days since 1970, as ISO text.

    Beyond the years 1 to 9999, which have no such text, it is the number.

    >>> bound_text(1356998400000000, "timestamp"), bound_text(15706, "date")
    ('2013-01-01T00:00:00Z', '2013-01-01')
    """
    try:
        if column_type == TIMESTAMP:
            return format_instant(int(value))
        return date.fromordinal(date(1970, 1, 1).toordinal() + int(value)).isoformat()
    except (OverflowError, ValueError):
        return f"{value:,.0f} {'microseconds' if column_type == TIMESTAMP else 'days'} since 1970"


def read_times(document: dict[str, Any], *, origin: str) -> dict[str, Any]:
    """Return a schema's document with the ends of ranges of times as numbers.

    A date as the `max` of instants holds until its day is over. TD-SCHEMA-003 for what is no time.
    """
    return _each(document, lambda value, type_, end: _number(value, type_, end, origin))


def write_times(document: dict[str, Any]) -> dict[str, Any]:
    """Return a schema's document with the ends of ranges of times as text, where they have one."""
    return _each(document, lambda value, type_, _end: patched_bound(value, type_))


def _each(document: dict[str, Any], change: Any) -> dict[str, Any]:
    columns = document.get("columns")
    if not isinstance(columns, dict):
        return document
    changed = {name: _of_column(column, change) for name, column in columns.items()}
    return {**document, "columns": changed}


def _of_column(column: Any, change: Any) -> Any:
    if not isinstance(column, dict) or not isinstance(column.get("type"), str):
        return column
    kind = value_type(column["type"])
    if kind not in TIMES:
        return column
    ends = {end: change(column[end], kind, end) for end in _ENDS if column.get(end) is not None}
    return {**column, **ends}


def patched_bound(value: float, column_type: str) -> float | str:
    """Return an end as a patch writes it: of times ISO text, where they have one."""
    if column_type not in TIMES:
        return value
    text = bound_text(value, column_type)
    return value if text.endswith("since 1970") else text


def _number(value: Any, kind: str, end: str, origin: str) -> Any:
    # A YAML reader makes dates and times of texts that look so.
    if isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    try:
        return _parsed(value, kind, end)
    except (ValueError, TypeError):
        form = "2013-01-01T00:00:00Z or 2013-01-01" if kind == TIMESTAMP else "2013-01-01"
        raise DefinitionError(
            "TD-SCHEMA-003",
            f"{origin}: {end}: {value!r} is no {kind}",
            expected=f"ISO text such as {form}",
            fix="Correct the schema; the data was not looked at.",
        ) from None


def _parsed(text: str, kind: str, end: str) -> int:
    if kind == DATE:
        return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()
    found = datetime.fromisoformat(text)
    # YAML reads times with an offset as UTC and drops the zone of those that end in Z.
    micros = to_micros(found if found.tzinfo else found.replace(tzinfo=UTC))
    return micros + _DAY_US - 1 if end == "max" and len(text) == len("2013-01-01") else micros
