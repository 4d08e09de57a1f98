"""Instants and dates moved by intervals: of fixed length, or by the calendar of a zone."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING, Any

from tondo.core.errors import near
from tondo.language.functions.numeric import round_half_away
from tondo.language.functions.row import Function
from tondo.language.functions.text import whole
from tondo.language.functions.times import (
    EARLIEST_US,
    LATEST_US,
    UNITS_US,
    local_us,
    zone_problem,
)
from tondo.language.functions.zones import zone
from tondo.language.values import DAY_US, EPOCH_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Units of the calendar in months."""
DAYS = {"day": 1, "week": 7}
"""Units of the calendar in days."""
CLOCK_UNITS = ("second", "minute", "hour")
CALENDAR_UNITS = (*DAYS, *MONTHS)
FARTHEST_US = 2.0**60
"""Longer intervals lead out of the calendar."""
FARTHEST_DAYS = 4_000_000
"""The calendar has fewer."""


def date_add(unit: str, count: float, start: int, zone_name: str | None = None) -> int | None:
    """Return an instant moved by `count` units in a zone; without a zone, a date.

    Seconds, minutes and hours have a fixed length and are rounded to the microsecond, half away
    from zero. Longer units go by the calendar of the zone: the count is cut to a whole one, the
    time of day is kept, and a day that a month lacks is its last. A local time that a change of
    clocks skips is reached at the change; of one that comes twice, the first is meant.
    """
    if zone_name is None:
        return _date_moved(unit, count, start)
    local = local_us(start, zone_name)
    if local is None:
        return None
    if unit in CLOCK_UNITS:
        return add_interval(start, count * UNITS_US[unit])
    days = moved_days(unit, count, local // DAY_US)
    if days is None:
        return None
    return _in_calendar(zone(zone_name).first_instant_us(days * DAY_US + local % DAY_US))


def add_interval(start: int, length_us: float) -> int | None:
    """Return an instant moved by microseconds, rounded half away from zero; None outside."""
    moved = round_half_away(length_us)
    if abs(moved) > FARTHEST_US or _in_calendar(start) is None:
        return None
    return _in_calendar(start + int(moved))


def _in_calendar(instant_us: int) -> int | None:
    return instant_us if EARLIEST_US <= instant_us <= LATEST_US else None


def _date_moved(unit: str, count: float, start: int) -> int | None:
    if _in_calendar(start * DAY_US) is None:
        return None
    days = moved_days(unit, count, start)
    return None if days is None or _in_calendar(days * DAY_US) is None else days


def moved_days(unit: str, count: float, start: int) -> int | None:
    """Return a day moved by whole days, weeks, months, quarters or years; None far outside.

    >>> moved_days("month", 1.0, 30)  # from 31 January to 28 February 1970
    58
    """
    if unit in DAYS:
        moved = whole(count) * DAYS[unit]
        return start + moved if abs(moved) <= FARTHEST_DAYS else None
    months = whole(count) * MONTHS[unit]
    here = date.fromordinal(start + EPOCH_DAY)
    year, month = divmod(here.year * 12 + here.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    day = min(here.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day).toordinal() - EPOCH_DAY


def _problem(constants: Sequence[Any]) -> str:
    unit, zoned = constants[0], len(constants) > 3
    units = (*CLOCK_UNITS, *CALENDAR_UNITS) if zoned else CALENDAR_UNITS
    if unit not in units:
        of = "" if zoned else " of a date"
        return f"'{unit}' is not a unit{of}. " + near(str(unit), units)
    return zone_problem(constants[2:])


ROWS = (
    Function(
        name="date_add",
        signatures=(
            "#string, double, timestamp, #string -> timestamp",
            "#string, double, date -> date",
        ),
        kernel=date_add,
        group="Time",
        problem=_problem,
        doc="The instant or date so many units later (earlier, if negative). Seconds, minutes and"
        " hours have a fixed length; days, weeks, months, quarters and years go by the calendar of"
        " the zone, keep the time of day and count whole ones only.",
        example=("day(date_add('month', 1, date '2013-01-31'))", 28.0),
    ),
    Function(
        name="add_interval",
        signatures=("timestamp, #double -> timestamp",),
        kernel=add_interval,
        operator="t + interval '3 hours'",
        group="Time",
        doc="The instant a fixed time later; `t - interval '...'` is earlier. Units: seconds,"
        " minutes, hours, days of 24 hours, weeks.",
        example=("epoch(timestamp '1970-01-01' + interval '1 day 2 hours')", 93600.0),
    ),
)
