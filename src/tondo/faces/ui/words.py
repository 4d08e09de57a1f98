"""How pages say numbers and times."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tondo.core.instants import from_micros
from tondo.stages.data import display

NONE = "\N{EN DASH}"
"""Stands where there is no figure."""
# A year is not grouped, a count of rows is.
_GROUPED_FROM = 10_000
_DAY_US = 86_400_000_000


def count(value: int) -> str:
    """Return a whole number with thin groups.

    >>> count(255987)
    '255,987'
    """
    return f"{value:,}"


def short_count(value: int) -> str:
    """Return a count in at most four signs and a letter.

    >>> [short_count(each) for each in (7, 999, 1_250, 28_400, 255_987, 999_999, 3_400_000)]
    ['7', '999', '1.2k', '28k', '256k', '1M', '3.4M']
    """
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        # 999,500 is already told as a million: it would round to 1000k.
        if value >= size * 0.9995:
            share = value / size
            text = f"{share:.1f}" if share < 9.95 else f"{share:.0f}"
            return text.removesuffix(".0") + letter
    return str(value)


def decimal(value: float | None, places: int = 3) -> str:
    """Return a figure to `places`, or a dash when there is none.

    >>> decimal(0.72849), decimal(None) == NONE
    ('0.728', True)
    """
    return NONE if value is None else f"{value:.{places}f}"


def interval(row: Any, low: str, high: str) -> str:
    """Return two fields of a row as an interval, or one dash when there is none.

    >>> from tondo.workspace.pages import MonthPoint
    >>> point = MonthPoint(month="2013-04", version=1, auc=0.7, low=0.69, high=0.71)
    >>> interval(point, "low", "high")
    '0.690 to 0.710'
    """
    first, last = getattr(row, low), getattr(row, high)
    return NONE if first is None or last is None else f"{decimal(first)} to {decimal(last)}"


def percent(value: float | None, places: int = 1) -> str:
    """Return a share as per cent.

    >>> percent(0.9712), percent(1.0)
    ('97.1 %', '100 %')
    """
    if value is None:
        return NONE
    return f"{value * 100:.{places}f}".removesuffix(".0") + " %"


def instant(micros: int | None) -> str:
    """Return an instant in UTC to the minute.

    >>> instant(1364774400000000)
    '1 Apr 2013, 00:00 UTC'
    """
    if micros is None:
        return NONE
    return _instant(from_micros(micros))


def _instant(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def day(micros: int | None) -> str:
    """Return the day of an instant in UTC.

    >>> day(1364774400000000)
    '1 Apr 2013'
    """
    if micros is None:
        return NONE
    at = from_micros(micros)
    return f"{at.day} {at:%b %Y}"


def month(text: str, *, long: bool = False) -> str:
    """Return a month such as `2013-04` in words.

    >>> month("2013-04"), month("2013-04", long=True)
    ('Apr', 'April 2013')
    """
    first = date.fromisoformat(f"{text}-01")
    return f"{first:%B %Y}" if long else f"{first:%b}"


def short_id(text: str) -> str:
    """Return the beginning of an id, enough to recognise and to search by.

    >>> short_id("0192f0aa-7c3e-7def-8000-0123456789ab"), short_id("af1349b9f5f9a1a6")
    ('0192f0aa-7c3e-7def', 'af1349b9f5f9')
    """
    # What is made within one millisecond differs in the third group only.
    return text[:18] if text[8:9] == "-" else text[:12]


def plain(value: Any) -> str:
    """Return any value of a row as short text.

    >>> plain(None), plain(True), plain(3.0), plain(0.123456789), plain(2013), plain(328897)
    ('null', 'yes', '3', '0.123457', '2013', '328,897')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and value >= _GROUPED_FROM:
        return count(value)
    return str(value)


def share(value: float | None) -> str:
    """Return a share as per cent; what is neither nothing nor all never reads as such.

    >>> share(0.00001), share(None) == NONE
    ('<0.1 %', True)
    """
    return NONE if value is None else display.percent(value)


def figure(value: Any, type_: str = "double") -> str:
    """Return a value of a column of `type_`: times by the minute, figures in four digits.

    >>> [figure(each) for each in (-86.0, 44.6332, 1272, 293108.4, 0.00001234)]
    ['\N{MINUS SIGN}86', '44.63', '1272', '293,108', '1.234e-05']
    >>> figure(1364774400000000, "timestamp"), figure(15796, "date"), figure(None)
    ('1 Apr 2013, 00:00', '1 Apr 2013', '\N{EN DASH}')
    """
    if value is None:
        return NONE
    if isinstance(value, bool | str):
        return plain(value)
    if type_ in {"timestamp", "date"}:
        return _moment(value, type_)
    text = display.number(value)
    return text.replace("-", "\N{MINUS SIGN}", 1) if value < 0 else text


def _moment(value: float, type_: str) -> str:
    try:
        at = from_micros(int(value) * (_DAY_US if type_ == "date" else 1))
    except (OverflowError, ValueError):
        # Beyond the year 9999 there is no calendar in Python.
        return f"{value:.6g}"
    date_ = f"{at.day} {at:%b} {at.year}"
    return date_ if type_ == "date" else f"{date_}, {at:%H:%M}"


def size(value: int) -> str:
    """Return a number of bytes.

    >>> size(912), size(6_553_600)
    ('912 B', '6.6 MB')
    """
    for unit, letter in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if value >= unit:
            return f"{value / unit:.1f} {letter}"
    return f"{value} B"


FILTERS = {
    each.__name__: each
    for each in (
        count,
        short_count,
        decimal,
        interval,
        percent,
        display.seconds,
        instant,
        day,
        month,
        short_id,
        plain,
        share,
        figure,
        size,
        display.visible,
    )
}
