"""Parts of local time, truncation and distance in DuckDB, on BIGINT microseconds and days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.duckdb.lowering_emitter import (
    Emitter,
    Lowering,
    constant_of,
    double_sql,
    template,
)
from tondo.adapters.engines.duckdb.lowering_text import whole_sql
from tondo.adapters.engines.duckdb.lowering_zones import (
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

_PARTS = {
    "year": "year({0})",
    "month": "month({0})",
    "day": "day({0})",
    "day_of_week": "isodow({0})",
    "day_of_year": "dayofyear({0})",
    "hour": "hour({0})",
    "minute": "minute({0})",
    "second": "microsecond({0})",
}
_FARTHEST_MONTHS = 200_000
"""Twice the months of the calendar, well within DuckDB's."""
_FIRST_DAY, _LAST_DAY = -(-EARLIEST_US // DAY_US), LATEST_US // DAY_US


def _in_calendar(instant: str, then: str) -> str:
    return f"CASE WHEN {instant} BETWEEN {EARLIEST_US} AND {LATEST_US} THEN {then} END"


def _days_in_calendar(days: str, then: str) -> str:
    return f"CASE WHEN {days} BETWEEN {_FIRST_DAY} AND {_LAST_DAY} THEN {then} END"


def local_timestamp_sql(zone_name: str, instant: str) -> str:
    """Return the TIMESTAMP of local time at a BIGINT instant, null outside the calendar."""
    return _in_calendar(instant, f"make_timestamp({instant} + {offset_sql(zone_name, instant)})")


def _part(name: str) -> Lowering:
    scale = f" / {double_sql(1_000_000.0)}" if name == "second" else ""

    def of_local(local: str) -> str:
        return f"CAST({_PARTS[name].format(f'make_timestamp({local})')} AS DOUBLE){scale}"

    def sql(emitter: Emitter, call: Call) -> str:
        argument = emitter.plain(call.arguments[0])
        if len(call.arguments) == 1:
            return emitter.shared(
                argument, lambda days: _days_in_calendar(days, of_local(f"{days} * {DAY_US}"))
            )
        zone_name = str(constant_of(call.arguments[1]))
        known = emitter.local_timestamp(zone_name, call.arguments[0])
        if known is not None:
            return f"CAST({_PARTS[name].format(known)} AS DOUBLE){scale}"
        return emitter.shared(
            argument,
            lambda instant: _in_calendar(
                instant, of_local(f"{instant} + {offset_sql(zone_name, instant)}")
            ),
        )

    return Lowering(sql)


def _truncated(unit: str, timestamp: str) -> str:
    """Return the microseconds at which the unit of a naive timestamp began."""
    return f"epoch_us(CAST(date_trunc('{unit}', {timestamp}) AS TIMESTAMP))"


def _date_trunc(emitter: Emitter, call: Call) -> str:
    unit = str(constant_of(call.arguments[0]))
    argument = emitter.plain(call.arguments[1])
    if len(call.arguments) == 2:
        return emitter.shared(argument, lambda days: _days_in_calendar(days, _of_days(unit, days)))
    zone_name = str(constant_of(call.arguments[2]))

    def of_instant(instant: str) -> str:
        local = f"({instant} + {offset_sql(zone_name, instant)})"
        if unit in {"second", "minute", "hour"}:
            width = UNITS_US[unit]
            into = f"(({local} % {width} + {width}) % {width})"
            began = f"greatest({instant} - {into}, {segment_start_sql(zone_name, instant)})"
        else:
            began = emitter.shared(
                _truncated(unit, f"make_timestamp({local})"),
                lambda midnight: first_instant_sql(zone_name, midnight),
            )
        return _in_calendar(instant, began)

    return emitter.shared(argument, of_instant)


def _of_days(unit: str, days: str) -> str:
    if unit in {"second", "minute", "hour", "day"}:
        return days
    return f"{_truncated(unit, f'make_timestamp({days} * {DAY_US})')} // {DAY_US}"


def _moved_days(unit: str, number: str, local: str) -> str:
    """Return local microseconds moved by units of the calendar."""
    if unit in DAYS:
        moved = f"({number} * {DAYS[unit]})"
        return f"CASE WHEN abs({moved}) <= {FARTHEST_DAYS} THEN {local} + {moved} * {DAY_US} END"
    months = f"({number} * {MONTHS[unit]})"
    interval = f"to_months(CAST({months} AS INTEGER))"
    return (
        f"CASE WHEN abs({months}) <= {_FARTHEST_MONTHS}"
        f" THEN epoch_us(make_timestamp({local}) + {interval}) END"
    )


def _date_add(emitter: Emitter, call: Call) -> str:
    unit = str(constant_of(call.arguments[0]))
    count, start = map(emitter.plain, call.arguments[1:3])
    if len(call.arguments) > 3 and unit in CLOCK_UNITS:
        return _moved(emitter, start, f"{count} * {double_sql(float(UNITS_US[unit]))}")
    number = emitter.shared(count, whole_sql)

    def of_date(days: str) -> str:
        moved = emitter.shared(
            _moved_days(unit, number, f"({days} * {DAY_US})"), lambda us: _in_calendar(us, us)
        )
        return _days_in_calendar(days, f"({moved}) // {DAY_US}")

    def of_instant(instant: str) -> str:
        zone_name = str(constant_of(call.arguments[3]))
        local = f"({instant} + {offset_sql(zone_name, instant)})"
        moved = emitter.shared(
            emitter.shared(local, lambda us: _moved_days(unit, number, us)),
            lambda us: first_instant_sql(zone_name, us),
        )
        return _in_calendar(instant, emitter.shared(moved, lambda us: _in_calendar(us, us)))

    return emitter.shared(start, of_date if len(call.arguments) < 4 else of_instant)


def _moved(emitter: Emitter, start: str, length: str) -> str:
    """Return an instant moved by microseconds, a double."""

    def body(us: str) -> str:
        moved = emitter.shared(
            f"round({length})",
            lambda by: (
                f"CASE WHEN abs({by}) <= {double_sql(FARTHEST_US)} THEN CAST({by} AS BIGINT) END"
            ),
        )
        return emitter.shared(
            f"({us} + {moved})", lambda at: _in_calendar(us, _in_calendar(at, at))
        )

    return emitter.shared(start, body)


def _add_interval(emitter: Emitter, call: Call) -> str:
    return _moved(emitter, *map(emitter.plain, call.arguments))


def _date_diff(emitter: Emitter, call: Call) -> str:
    unit = double_sql(float(UNITS_US[str(constant_of(call.arguments[0]))]))
    start, stop = map(emitter.plain, call.arguments[1:])
    return emitter.shared(
        start,
        lambda first: emitter.shared(
            stop,
            lambda last: _in_calendar(
                first, _in_calendar(last, f"CAST({last} - {first} AS DOUBLE) / {unit}")
            ),
        ),
    )


LOWERINGS: dict[str, Lowering] = {
    **{name: _part(name) for name in _PARTS},
    "date_trunc": Lowering(_date_trunc),
    "epoch": template(f"(CAST({{0}} AS DOUBLE) / {double_sql(1_000_000.0)})"),
    "date_diff": Lowering(_date_diff),
    "date_add": Lowering(_date_add),
    "add_interval": Lowering(_add_interval),
}
"""Function name to its lowering."""
