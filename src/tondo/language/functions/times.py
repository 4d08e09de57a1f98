"""Parts of local time, truncation and distance, on microseconds and days since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from tondo.core.errors import near
from tondo.core.instants import to_micros
from tondo.language.functions.row import Function
from tondo.language.functions.zones import zone, zone_names
from tondo.language.values import DAY_US, EPOCH_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EARLIEST_US = to_micros(datetime(1, 1, 3, tzinfo=UTC))
LATEST_US = to_micros(datetime(9999, 12, 30, tzinfo=UTC))
"""Parts of instants outside are null: the calendar of dates ends there."""

UNITS_US = {
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": DAY_US,
    "week": 7 * DAY_US,
}
"""Units of fixed length."""
TRUNC_UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


def _date_of(days: int) -> date:
    return date.fromordinal(days + EPOCH_DAY)


def _in_calendar(days: int) -> bool:
    return EARLIEST_US <= days * DAY_US <= LATEST_US


DAY_PARTS: dict[str, Callable[[int], int]] = {
    "year": lambda days: _date_of(days).year,
    "month": lambda days: _date_of(days).month,
    "day": lambda days: _date_of(days).day,
    "day_of_week": lambda days: (days + 3) % 7 + 1,
    "day_of_year": lambda days: _date_of(days).timetuple().tm_yday,
}
CLOCK_PARTS: dict[str, Callable[[int], float]] = {
    "hour": lambda local_us: local_us // UNITS_US["hour"] % 24,
    "minute": lambda local_us: local_us // UNITS_US["minute"] % 60,
    "second": lambda local_us: local_us % UNITS_US["minute"] / 1_000_000,
}


def local_us(instant_us: int, zone_name: str) -> int | None:
    """Return local time as microseconds, None outside the calendar."""
    if not EARLIEST_US <= instant_us <= LATEST_US:
        return None
    return instant_us + zone(zone_name).offset_us(instant_us)


def _part(name: str) -> Callable[..., float | None]:
    def of_day(days: int) -> float | None:
        return float(DAY_PARTS[name](days)) if _in_calendar(days) else None

    def kernel(instant: int, zone_name: str | None = None) -> float | None:
        if zone_name is None:
            return of_day(instant)
        local = local_us(instant, zone_name)
        if local is None:
            return None
        if name in CLOCK_PARTS:
            return float(CLOCK_PARTS[name](local))
        return float(DAY_PARTS[name](local // DAY_US))

    return kernel


def first_day(unit: str, days: int) -> int:
    """Return the first day of the week, month, quarter or year of a day.

    >>> first_day("week", 0)
    -3
    """
    if unit == "week":
        return days - (days + 3) % 7
    here = _date_of(days)
    month = {"month": here.month, "quarter": (here.month - 1) // 3 * 3 + 1, "year": 1}.get(unit)
    return days if month is None else date(here.year, month, 1).toordinal() - EPOCH_DAY


def date_trunc(unit: str, instant: int, zone_name: str | None = None) -> int | None:
    """Return the instant at which the local unit began; for a date, the date.

    Hours, minutes and seconds begin anew when the clocks change within them; days and longer
    units began when local time first reached their first midnight.
    """
    if zone_name is None:
        return first_day(unit, instant) if _in_calendar(instant) else None
    local = local_us(instant, zone_name)
    if local is None:
        return None
    table = zone(zone_name)
    if unit in {"second", "minute", "hour"}:
        began = instant - local % UNITS_US[unit]
        return max(began, table.segment_start_us(instant))
    return table.first_instant_us(first_day(unit, local // DAY_US) * DAY_US)


def epoch(instant_us: int) -> float:
    """Return seconds since 1970."""
    return float(instant_us) / 1_000_000.0


def date_diff(unit: str, start_us: int, stop_us: int) -> float | None:
    """Return the time from start to stop in units, with its fraction."""
    if not (EARLIEST_US <= start_us <= LATEST_US and EARLIEST_US <= stop_us <= LATEST_US):
        return None
    return float(stop_us - start_us) / float(UNITS_US[unit])


def zone_problem(constants: Sequence[Any]) -> str:
    """Return what is wrong with a zone that stands last among constants, if one does."""
    name = constants[-1]
    if len(constants) < 2 or name in zone_names():
        return ""
    return f"'{name}' is not a time zone. " + near(str(name), zone_names())


def _trunc_problem(constants: Sequence[Any]) -> str:
    if constants[0] not in TRUNC_UNITS:
        return f"'{constants[0]}' is not a unit. " + near(str(constants[0]), TRUNC_UNITS)
    return zone_problem(constants[1:])


def _diff_problem(constants: Sequence[Any]) -> str:
    if constants[0] in UNITS_US:
        return ""
    return f"'{constants[0]}' is not a unit. " + near(str(constants[0]), UNITS_US)


def _part_row(name: str, doc: str, example: float) -> Function:
    of_date = () if name in CLOCK_PARTS else ("date -> double",)
    return Function(
        name=name,
        signatures=("timestamp, #string -> double", *of_date),
        kernel=_part(name),
        group="Time",
        problem=zone_problem,
        doc=doc,
        example=(f"{name}(timestamp '2013-03-10 12:30:15.25', 'America/New_York')", example),
    )


ROWS = (
    _part_row("year", "Year of local time; of a date without a zone.", 2013.0),
    _part_row("month", "1 to 12.", 3.0),
    _part_row("day", "Day of the month, from 1.", 10.0),
    _part_row("hour", "0 to 23.", 8.0),
    _part_row("minute", "0 to 59.", 30.0),
    _part_row("second", "0 to 59.999999, fraction included.", 15.25),
    _part_row("day_of_week", "Monday 1 to Sunday 7.", 7.0),
    _part_row("day_of_year", "From 1.", 69.0),
    Function(
        name="date_trunc",
        signatures=("#string, timestamp, #string -> timestamp", "#string, date -> date"),
        kernel=date_trunc,
        group="Time",
        problem=_trunc_problem,
        doc="The instant at which the local second, minute, hour, day, week (Monday), month,"
        " quarter or year began.",
        example=(
            "epoch(date_trunc('day', timestamp '1970-01-02 12:00:00', 'America/New_York'))",
            104400.0,
        ),
    ),
    Function(
        name="epoch",
        signatures=("timestamp -> double",),
        kernel=epoch,
        group="Time",
        doc="Seconds since 1970.",
        example=("epoch(timestamp '1969-12-31 23:59:59.5')", -0.5),
    ),
    Function(
        name="date_diff",
        signatures=("#string, timestamp, timestamp -> double",),
        kernel=date_diff,
        group="Time",
        problem=_diff_problem,
        doc="Time from the first to the second instant in seconds, minutes, hours, days or weeks,"
        " with its fraction.",
        example=("date_diff('hour', timestamp '2013-01-01', timestamp '2013-01-02 12:00')", 36.0),
    ),
)
