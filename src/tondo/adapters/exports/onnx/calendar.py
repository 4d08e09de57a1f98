"""The Gregorian calendar in whole numbers (Hinnant 2013, chrono-Compatible Date Algorithms)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tondo.adapters.exports.onnx.writer import GraphWriter

_DAYS_BEFORE_1970 = 719_468
"""From 1 March of the year 0."""
_ERA_DAYS = 146_097
"""400 years: then the calendar begins anew."""


class Civil(NamedTuple):
    """Year, month and day of a date, each a column of whole numbers."""

    year: str
    month: str
    day: str


def floor_mod(writer: GraphWriter, value: str, by: int) -> str:
    """Return the remainder, not below zero; ONNX's Mod has the sign of the divisor."""
    return writer.add("Mod", value, writer.whole(by))


def floor_div(writer: GraphWriter, value: str, by: int) -> str:
    """Return the quotient, rounded down, of any 64 bits; ONNX's Div rounds toward zero."""
    below, last = writer.add("Less", value, writer.whole(0)), writer.whole(-1)
    turned = writer.add("Sub", last, _div(writer, writer.add("Sub", last, value), by))
    return writer.where(below, turned, _div(writer, value, by))


def least_whole(writer: GraphWriter, x: str, y: str) -> str:
    """Return the smaller of two whole numbers."""
    return writer.add("Min", x, y)


def _div(writer: GraphWriter, value: str, by: int) -> str:
    return writer.add("Div", value, writer.whole(by))


def _sum(writer: GraphWriter, *terms: str) -> str:
    found, *others = terms
    for each in others:
        found = writer.add("Add", found, each)
    return found


def _times(writer: GraphWriter, value: str, by: int) -> str:
    return writer.add("Mul", value, writer.whole(by))


def civil(writer: GraphWriter, days: str) -> Civil:
    """Return the date of days since 1970."""
    moved = writer.add("Add", days, writer.whole(_DAYS_BEFORE_1970))
    era, day_of_era = floor_div(writer, moved, _ERA_DAYS), floor_mod(writer, moved, _ERA_DAYS)
    leapless = writer.add("Sub", day_of_era, _div(writer, day_of_era, 1460))
    leapless = writer.add("Add", leapless, _div(writer, day_of_era, 36_524))
    leapless = writer.add("Sub", leapless, _div(writer, day_of_era, 146_096))
    year_of_era = _div(writer, leapless, 365)
    before = _days_of_years(writer, year_of_era)
    day_of_year = writer.add("Sub", day_of_era, before)
    from_march = _div(writer, _sum(writer, _times(writer, day_of_year, 5), writer.whole(2)), 153)
    began = _month_start(writer, from_march)
    day = writer.add("Add", writer.add("Sub", day_of_year, began), writer.whole(1))
    late = writer.add("GreaterOrEqual", from_march, writer.whole(10))
    shift = writer.where(late, writer.whole(-9), writer.whole(3))
    month = writer.add("Add", from_march, shift)
    turned = writer.where(late, writer.whole(1), writer.whole(0))
    year = _sum(writer, year_of_era, _times(writer, era, 400), turned)
    return Civil(year, month, day)


def _days_of_years(writer: GraphWriter, years: str) -> str:
    """Return the days of the first years of an era."""
    leaps = writer.add("Sub", _div(writer, years, 4), _div(writer, years, 100))
    return writer.add("Add", _times(writer, years, 365), leaps)


def _month_start(writer: GraphWriter, from_march: str) -> str:
    """Return the days of a year that begins in March before a month."""
    return _div(writer, _sum(writer, _times(writer, from_march, 153), writer.whole(2)), 5)


def days_of(writer: GraphWriter, year: str, month: str, day: str) -> str:
    """Return the days since 1970 of a date."""
    early = writer.add("LessOrEqual", month, writer.whole(2))
    turned = writer.where(early, writer.whole(-1), writer.whole(0))
    year = writer.add("Add", year, turned)
    era, year_of_era = floor_div(writer, year, 400), floor_mod(writer, year, 400)
    shift = writer.where(early, writer.whole(9), writer.whole(-3))
    began = _month_start(writer, writer.add("Add", month, shift))
    day_of_year = _sum(writer, began, day, writer.whole(-1))
    day_of_era = writer.add("Add", _days_of_years(writer, year_of_era), day_of_year)
    whole = _sum(writer, _times(writer, era, _ERA_DAYS), day_of_era)
    return writer.add("Sub", whole, writer.whole(_DAYS_BEFORE_1970))


def month_length(writer: GraphWriter, year: str, month: str) -> str:
    """Return how many days a month has."""
    one = writer.whole(1)
    last = writer.add("Equal", month, writer.whole(12))
    next_month = writer.where(last, one, writer.add("Add", month, one))
    next_year = writer.where(last, writer.add("Add", year, one), year)
    return writer.add(
        "Sub", days_of(writer, next_year, next_month, one), days_of(writer, year, month, one)
    )
