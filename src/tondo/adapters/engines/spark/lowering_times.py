"""Parts of local time, truncation and distance in Spark, on BIGINT microseconds and days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import (
    Emitter,
    Lowering,
    called,
    chosen,
    constant_of,
    double_sql,
    template,
    whole_sql,
)
from tondo.adapters.engines.spark.lowering_logic import floor_div, within
from tondo.adapters.engines.spark.lowering_numbers import round_whole
from tondo.adapters.engines.spark.lowering_text import whole_place
from tondo.adapters.engines.spark.lowering_zones import (
    first_instant_sql,
    offset_sql,
    segment_start_sql,
)
from tondo.language.functions.shifts import (
    CLOCK_UNITS,
    DAYS,
    FARTHEST_DAYS,
    FARTHEST_US,
    MONTHS,
)
from tondo.language.functions.times import EARLIEST_US, LATEST_US, UNITS_US
from tondo.language.values import DAY_US

if TYPE_CHECKING:
    from tondo.language.tree import Call

_DAY_PARTS = {"year": "year", "month": "month", "day": "day", "day_of_year": "dayofyear"}
_CLOCK_PARTS = {
    "hour": (DAY_US, UNITS_US["hour"]),
    "minute": (UNITS_US["hour"], UNITS_US["minute"]),
    "second": (UNITS_US["minute"], 1),
}
"""What of local time counts, and in which unit, in microseconds."""
_MICROS = double_sql(1_000_000.0)
_FARTHEST_MONTHS = 200_000
"""Twice the months of the calendar, well within Spark's."""
_FIRST_DAY, _LAST_DAY = -(-EARLIEST_US // DAY_US), LATEST_US // DAY_US


def _kept(number: str, low: int, high: int) -> str:
    """Return the number where it lies between both, else null: then nothing after it can fail."""
    return chosen(within(number, whole_sql(low), whole_sql(high)), number, "NULL")


def _instant(emitter: Emitter, text: str) -> str:
    return emitter.shared(text, lambda each: _kept(each, EARLIEST_US, LATEST_US))


def _days(emitter: Emitter, text: str) -> str:
    return emitter.shared(text, lambda each: _kept(each, _FIRST_DAY, _LAST_DAY))


def _date(days: str) -> str:
    return f"date_from_unix_date(CAST({days} AS INT))"


def _weekday(days: str) -> str:
    """Return the SQL of 0 for a Monday to 6."""
    return called("pmod", called("+", days, "3L"), "7L")


def _day_part(name: str, days: str) -> str:
    if name == "day_of_week":
        return f"CAST({called('+', _weekday(days), '1L')} AS DOUBLE)"
    return f"CAST({called(_DAY_PARTS[name], _date(days))} AS DOUBLE)"


def _local_part(emitter: Emitter, name: str, local: str) -> str:
    if name not in _CLOCK_PARTS:
        return emitter.shared(floor_div(local, DAY_US), lambda days: _day_part(name, days))
    whole, unit = map(whole_sql, _CLOCK_PARTS[name])
    number = f"CAST({called('div', called('pmod', local, whole), unit)} AS DOUBLE)"
    return called("/", number, _MICROS) if name == "second" else number


def _local(zone_name: str, instant: str) -> str:
    return called("+", instant, offset_sql(zone_name, instant))


def _part(name: str) -> Lowering:
    def sql(emitter: Emitter, call: Call) -> str:
        argument = emitter.plain(call.arguments[0])
        if len(call.arguments) == 1:
            return emitter.shared(_days(emitter, argument), lambda each: _day_part(name, each))
        zone_name = str(constant_of(call.arguments[1]))
        instant = _instant(emitter, argument)
        local = emitter.shared(instant, lambda each: _local(zone_name, each))
        return emitter.shared(local, lambda each: _local_part(emitter, name, each))

    return Lowering(sql)


def _first_day(unit: str, days: str) -> str:
    """Return the first day of the unit's week, month, quarter or year; a day is its own."""
    if unit == "week":
        return called("-", days, _weekday(days))
    if unit in UNITS_US:
        return days
    return f"CAST(unix_date(trunc({_date(days)}, '{unit}')) AS BIGINT)"


def _date_trunc(emitter: Emitter, call: Call) -> str:
    unit = str(constant_of(call.arguments[0]))
    argument = emitter.plain(call.arguments[1])
    if len(call.arguments) == 2:
        return emitter.shared(_days(emitter, argument), lambda each: _first_day(unit, each))
    zone_name = str(constant_of(call.arguments[2]))

    def of_clock(instant: str) -> str:
        into = called("pmod", _local(zone_name, instant), whole_sql(UNITS_US[unit]))
        start = segment_start_sql(zone_name, instant)
        began = called("greatest", called("-", instant, into), start)
        return chosen(called("isnull", instant), "NULL", began)

    def of_day(instant: str) -> str:
        days = emitter.shared(_local(zone_name, instant), lambda each: floor_div(each, DAY_US))
        first = emitter.shared(days, lambda each: _first_day(unit, each))
        midnight = called("*", first, whole_sql(DAY_US))
        return emitter.shared(midnight, lambda each: first_instant_sql(zone_name, each))

    body = of_clock if unit in {"second", "minute", "hour"} else of_day
    return emitter.shared(_instant(emitter, argument), body)


def _date_diff(emitter: Emitter, call: Call) -> str:
    unit = double_sql(float(UNITS_US[str(constant_of(call.arguments[0]))]))
    start, stop = (_instant(emitter, emitter.plain(each)) for each in call.arguments[1:])
    return called("/", f"CAST({called('-', stop, start)} AS DOUBLE)", unit)


def _moved_day(unit: str, number: str, days: str) -> str:
    """Return a day moved by units of the calendar; null far outside."""
    count = f"CAST({number} AS BIGINT)"
    if unit in DAYS:
        moved = called("*", count, whole_sql(DAYS[unit]))
        far = called(">", called("abs", moved), whole_sql(FARTHEST_DAYS))
        return chosen(far, "NULL", called("+", days, moved))
    months = called("*", count, whole_sql(MONTHS[unit]))
    far = called(">", called("abs", months), whole_sql(_FARTHEST_MONTHS))
    kept = f"CAST({chosen(far, 'NULL', months)} AS INT)"
    return f"CAST(unix_date({called('add_months', _date(days), kept)}) AS BIGINT)"


def _date_add(emitter: Emitter, call: Call) -> str:
    unit = str(constant_of(call.arguments[0]))
    count, start = map(emitter.plain, call.arguments[1:3])
    if len(call.arguments) > 3 and unit in CLOCK_UNITS:
        return _moved(emitter, start, called("*", count, double_sql(float(UNITS_US[unit]))))
    number = emitter.shared(count, whole_place)
    if len(call.arguments) < 4:
        moved = emitter.shared(_days(emitter, start), lambda day: _moved_day(unit, number, day))
        return _days(emitter, moved)
    zone_name = str(constant_of(call.arguments[3]))

    def of_local(local: str) -> str:
        days = emitter.shared(floor_div(local, DAY_US), lambda day: _moved_day(unit, number, day))
        into = called("pmod", local, whole_sql(DAY_US))
        moved = called("+", called("*", days, whole_sql(DAY_US)), into)
        return emitter.shared(moved, lambda us: first_instant_sql(zone_name, us))

    instant = _instant(emitter, start)
    local = emitter.shared(instant, lambda us: _local(zone_name, us))
    return _instant(emitter, emitter.shared(local, of_local))


def _moved(emitter: Emitter, start: str, length: str) -> str:
    """Return an instant moved by microseconds, a double."""

    def whole(by: str) -> str:
        near = called("<=", called("abs", by), double_sql(FARTHEST_US))
        return f"CAST({chosen(near, by, 'NULL')} AS BIGINT)"

    moved = emitter.shared(emitter.shared(length, round_whole), whole)
    return _instant(emitter, called("+", _instant(emitter, start), moved))


def _add_interval(emitter: Emitter, call: Call) -> str:
    return _moved(emitter, *map(emitter.plain, call.arguments))


LOWERINGS: dict[str, Lowering] = {
    **{name: _part(name) for name in (*_DAY_PARTS, "day_of_week", *_CLOCK_PARTS)},
    "date_trunc": Lowering(_date_trunc),
    "epoch": template(f"`/`(CAST({{0}} AS DOUBLE), {_MICROS})"),
    "date_diff": Lowering(_date_diff),
    "date_add": Lowering(_date_add),
    "add_interval": Lowering(_add_interval),
}
"""Function name to its lowering."""
