"""Parts of local time, truncation, distance and shifts in ONNX, on 64-bit microseconds and days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.exports.onnx.calendar import (
    civil,
    days_of,
    floor_div,
    floor_mod,
    least_whole,
    month_length,
)
from tondo.adapters.exports.onnx.forms import Doubles, Form, Texts, Wholes
from tondo.adapters.exports.onnx.lowerer import Refused, constant_of
from tondo.adapters.exports.onnx.lowering_numbers import rounded, truncated
from tondo.adapters.exports.onnx.writer import FLOAT64, INT64
from tondo.adapters.exports.onnx.zones import first_instant, offset, segment_start
from tondo.language.functions.numeric import round_half_away
from tondo.language.functions.shifts import (
    CLOCK_UNITS,
    DAYS,
    FARTHEST_DAYS,
    FARTHEST_US,
    MONTHS,
)
from tondo.language.functions.times import CLOCK_PARTS, EARLIEST_US, LATEST_US, UNITS_US
from tondo.language.values import DAY_US

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.lowerer import Lowerer, Lowering
    from tondo.adapters.exports.onnx.writer import GraphWriter
    from tondo.language.tree import Call

_FIRST_DAY, _LAST_DAY = -(-EARLIEST_US // DAY_US), LATEST_US // DAY_US
_FARTHEST_MONTHS = 200_000
"""Twice the months of the calendar."""


def _within(writer: GraphWriter, form: Wholes, low: int, high: int) -> Wholes:
    """Return numbers within bounds; others are null, and 0 so that nothing overflows."""
    inside = writer.both(
        writer.add("GreaterOrEqual", form.data, writer.whole(low)),
        writer.add("LessOrEqual", form.data, writer.whole(high)),
    )
    data = writer.where(inside, form.data, writer.whole(0))
    return Wholes(data, writer.either(form.null, writer.add("Not", inside)))


def in_calendar(writer: GraphWriter, instant: Wholes) -> Wholes:
    """Return instants of the calendar; others are null."""
    return _within(writer, instant, EARLIEST_US, LATEST_US)


def _days_in_calendar(writer: GraphWriter, days: Wholes) -> Wholes:
    return _within(writer, days, _FIRST_DAY, _LAST_DAY)


def _as_double(lowerer: Lowerer, data: str, null: str) -> Doubles:
    writer = lowerer.writer
    return Doubles(writer.where(null, lowerer.null_double(), writer.cast(data, FLOAT64)))


def _local(lowerer: Lowerer, call: Call, place: int) -> tuple[str, Wholes]:
    """Return local microseconds of the argument at `place`, and the instant in the calendar."""
    writer = lowerer.writer
    instant = in_calendar(writer, lowerer.wholes(call.arguments[place]))
    shift = offset(writer, str(constant_of(call.arguments[-1])), instant.data)
    return writer.add("Add", instant.data, shift), instant


def _day_part(writer: GraphWriter, name: str, days: str) -> str:
    if name == "day_of_week":
        moved = writer.add("Add", days, writer.whole(3))
        return writer.add("Add", floor_mod(writer, moved, 7), writer.whole(1))
    date = civil(writer, days)
    if name == "day_of_year":
        began = days_of(writer, date.year, writer.whole(1), writer.whole(1))
        return writer.add("Add", writer.add("Sub", days, began), writer.whole(1))
    return {"year": date.year, "month": date.month, "day": date.day}[name]


def _part(name: str) -> Lowering:
    def lowered(lowerer: Lowerer, call: Call) -> Form:
        writer = lowerer.writer
        if len(call.arguments) == 1:
            days = _days_in_calendar(writer, lowerer.wholes(call.arguments[0]))
            return _as_double(lowerer, _day_part(writer, name, days.data), days.null)
        local, instant = _local(lowerer, call, 0)
        if name not in CLOCK_PARTS:
            part = _day_part(writer, name, floor_div(writer, local, DAY_US))
            return _as_double(lowerer, part, instant.null)
        if name == "second":
            micros = floor_mod(writer, local, UNITS_US["minute"])
            found = _as_double(lowerer, micros, instant.null)
            return Doubles(writer.add("Div", found.data, writer.double(1_000_000.0)))
        units = floor_div(writer, local, UNITS_US[name])
        part = floor_mod(writer, units, {"hour": 24, "minute": 60}[name])
        return _as_double(lowerer, part, instant.null)

    return lowered


def _first_day(writer: GraphWriter, unit: str, days: str) -> str:
    """Return the first day of the week, month, quarter or year of a day."""
    if unit == "week":
        moved = writer.add("Add", days, writer.whole(3))
        return writer.add("Sub", days, floor_mod(writer, moved, 7))
    if unit not in MONTHS:
        return days
    date = civil(writer, days)
    earlier = writer.add("Sub", date.month, writer.whole(1))
    began = writer.add("Sub", earlier, floor_mod(writer, earlier, MONTHS[unit]))
    month = writer.add("Add", began, writer.whole(1))
    return days_of(writer, date.year, month, writer.whole(1))


def _date_trunc(lowerer: Lowerer, call: Call) -> Form:
    writer, unit = lowerer.writer, str(constant_of(call.arguments[0]))
    if len(call.arguments) == 2:
        days = _days_in_calendar(writer, lowerer.wholes(call.arguments[1]))
        return Wholes(_first_day(writer, unit, days.data), days.null)
    zone_name = str(constant_of(call.arguments[2]))
    local, instant = _local(lowerer, call, 1)
    if unit in CLOCK_UNITS:
        began = writer.add("Sub", instant.data, floor_mod(writer, local, UNITS_US[unit]))
        start = segment_start(writer, zone_name, instant.data)
        return Wholes(writer.add("Max", began, start), instant.null)
    day = _first_day(writer, unit, floor_div(writer, local, DAY_US))
    midnight = writer.add("Mul", day, writer.whole(DAY_US))
    return Wholes(first_instant(writer, zone_name, midnight), instant.null)


def _epoch(lowerer: Lowerer, call: Call) -> Form:
    writer, instant = lowerer.writer, lowerer.wholes(call.arguments[0])
    micros = _as_double(lowerer, instant.data, instant.null)
    return Doubles(writer.add("Div", micros.data, writer.double(1_000_000.0)))


def _date_diff(lowerer: Lowerer, call: Call) -> Form:
    writer, unit = lowerer.writer, UNITS_US[str(constant_of(call.arguments[0]))]
    start, stop = (in_calendar(writer, lowerer.wholes(each)) for each in call.arguments[1:])
    apart = writer.add("Sub", stop.data, start.data)
    found = _as_double(lowerer, apart, writer.either(start.null, stop.null))
    return Doubles(writer.add("Div", found.data, writer.double(float(unit))))


def _add_interval(lowerer: Lowerer, call: Call) -> Form:
    writer, start = lowerer.writer, lowerer.wholes(call.arguments[0])
    length = constant_of(call.arguments[1])
    by = round_half_away(length) if isinstance(length, float) else FARTHEST_US * 2.0
    if abs(by) > FARTHEST_US:
        return Wholes(start.data, writer.truth(True))
    start = in_calendar(writer, start)
    moved = writer.add("Add", start.data, writer.whole(int(by)))
    return in_calendar(writer, Wholes(moved, start.null))


def _held(writer: GraphWriter, number: str, most: float) -> Wholes:
    """Return a whole double as a whole number; null beyond `most`, and for NaN."""
    inside = writer.add("LessOrEqual", writer.add("Abs", number), writer.double(most))
    held = writer.where(inside, number, writer.double(0.0))
    return Wholes(writer.cast(held, INT64), writer.add("Not", inside))


def _date_add(lowerer: Lowerer, call: Call) -> Form:
    writer, unit = lowerer.writer, str(constant_of(call.arguments[0]))
    count = lowerer.doubles(call.arguments[1])
    if len(call.arguments) == 3:
        days = _days_in_calendar(writer, lowerer.wholes(call.arguments[2]))
        moved = _moved_days(writer, unit, count, days.data)
        null = writer.either(days.null, moved.null)
        return _days_in_calendar(writer, Wholes(moved.data, null))
    local, instant = _local(lowerer, call, 2)
    if unit in CLOCK_UNITS:
        length = writer.add("Mul", count, writer.double(float(UNITS_US[unit])))
        by = _held(writer, rounded(writer, length), FARTHEST_US)
        at = writer.add("Add", instant.data, by.data)
        return in_calendar(writer, Wholes(at, writer.either(instant.null, by.null)))
    moved = _moved_days(writer, unit, count, floor_div(writer, local, DAY_US))
    midnight = writer.add("Mul", moved.data, writer.whole(DAY_US))
    clock = writer.add("Add", midnight, floor_mod(writer, local, DAY_US))
    found = first_instant(writer, str(constant_of(call.arguments[3])), clock)
    return in_calendar(writer, Wholes(found, writer.either(instant.null, moved.null)))


def _moved_days(writer: GraphWriter, unit: str, count: str, days: str) -> Wholes:
    """Return days moved by units of the calendar, cut to whole ones; null far outside."""
    number = truncated(writer, count)
    if unit in DAYS:
        by = _held(writer, writer.add("Mul", number, writer.double(DAYS[unit])), FARTHEST_DAYS)
        return Wholes(writer.add("Add", days, by.data), by.null)
    by = _held(writer, writer.add("Mul", number, writer.double(MONTHS[unit])), _FARTHEST_MONTHS)
    date = civil(writer, days)
    months = writer.add("Mul", date.year, writer.whole(12))
    months = writer.add("Add", months, writer.add("Sub", date.month, writer.whole(1)))
    months = writer.add("Add", months, by.data)
    reached = _within(writer, Wholes(months, by.null), 12, 12 * 9999 + 11)
    year = floor_div(writer, reached.data, 12)
    month = writer.add("Add", floor_mod(writer, reached.data, 12), writer.whole(1))
    day = least_whole(writer, date.day, month_length(writer, year, month))
    return Wholes(days_of(writer, year, month, day), reached.null)


def _cast_date(lowerer: Lowerer, call: Call) -> Form:
    x = lowerer.form(call.arguments[0])
    if isinstance(x, Texts):
        raise Refused("cast of text to date: ONNX does not read texts so")
    assert isinstance(x, Wholes)
    if call.arguments[0].type == "date":
        return x
    return Wholes(floor_div(lowerer.writer, x.data, DAY_US), x.null)


def _cast_timestamp(lowerer: Lowerer, call: Call) -> Form:
    x, writer = lowerer.form(call.arguments[0]), lowerer.writer
    if isinstance(x, Texts):
        raise Refused("cast of text to timestamp: ONNX does not read texts so")
    assert isinstance(x, Wholes)
    if call.arguments[0].type == "timestamp":
        return x
    days = _days_in_calendar(writer, x)
    return Wholes(writer.add("Mul", days.data, writer.whole(DAY_US)), days.null)


LOWERINGS: dict[str, Lowering] = {
    **{name: _part(name) for name in ("year", "month", "day", "day_of_week", "day_of_year")},
    **{name: _part(name) for name in CLOCK_PARTS},
    "date_trunc": _date_trunc,
    "epoch": _epoch,
    "date_diff": _date_diff,
    "date_add": _date_add,
    "add_interval": _add_interval,
    "cast_date": _cast_date,
    "cast_timestamp": _cast_timestamp,
}
"""Function name to its lowering."""
