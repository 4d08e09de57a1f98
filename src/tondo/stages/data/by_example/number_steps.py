"""Steps on numbers and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.language.functions.times import TRUNC_UNITS
from tondo.stages.data.by_example.steps import Step, chain, step

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMON_ZONES = (
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "America/Chicago",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/Denver",
    "America/Sao_Paulo",
)
"""Zones that are tried unless others are named; earlier ones win where both fit."""

_FACTORS = (2, 10, 12, 24, 60, 100, 1000, 3600)
_WIDTHS = (2, 3, 4, 5, 6, 7, 10, 12, 15, 20, 24, 25, 30, 50, 60, 100, 500, 1000)
_PARTS = ("hour", "year", "month", "day", "day_of_week", "minute", "second", "day_of_year")


def number_steps() -> list[Step]:
    """Return rounding, scaling by round factors, and steps of a round width."""
    plain = [
        step("round", "double", cost=11),
        step("floor", "double", cost=11),
        step("ceil", "double", cost=12),
        step("trunc", "double", cost=13),
        step("abs", "double", cost=12),
        step("negate", "double", cost=14),
        step("sqrt", "double", cost=18),
        step("log10", "double", cost=18),
        step("log1p", "double", cost=18),
    ]
    rounded = [
        step("round", "double", cost=12 + abs(digits), after=[digits])
        for digits in (1, 2, 3, 4, -1, -2, -3)
    ]
    scaled = [
        step(function, "double", cost=15, after=[factor])
        for factor in _FACTORS
        for function in ("multiply", "divide")
    ]
    remainders = [step("mod", "double", cost=24, after=[width]) for width in _WIDTHS]
    return [*plain, *rounded, *scaled, *remainders, *_in_steps()]


def _in_steps() -> list[Step]:
    found = []
    for width in _WIDTHS:
        shared = step("divide", "double", cost=0, after=[width])
        back = step("multiply", "double", cost=0, after=[width])
        for place, name in enumerate(("floor", "ceil", "round")):
            turned = step(name, "double", cost=0)
            found.append(chain(shared, turned, cost=23 + place))
            found.append(chain(shared, turned, back, cost=30 + place))
    return found


def time_steps(zones: Sequence[str]) -> list[Step]:
    """Return parts and truncations of an instant in each zone, the date, and seconds since 1970."""
    found = [step("cast_date", "date", cost=14), step("epoch", "double", cost=16)]
    for position, zone in enumerate(zones):
        extra = min(position, 3)
        found += [step(name, "double", cost=14 + extra, after=[zone]) for name in _PARTS]
        found += [
            step("date_trunc", "timestamp", cost=16 + extra, before=[unit], after=[zone])
            for unit in TRUNC_UNITS
        ]
    return found


def date_steps() -> list[Step]:
    """Return the parts and truncations of a date."""
    parts = [
        step(name, "double", cost=14)
        for name in ("year", "month", "day", "day_of_week", "day_of_year")
    ]
    units = ("week", "month", "quarter", "year")
    truncated = [step("date_trunc", "date", cost=16, before=[unit]) for unit in units]
    return [*parts, *truncated, step("cast_timestamp", "timestamp", cost=16)]
