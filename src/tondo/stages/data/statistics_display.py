"""Statistics as people look at them: lines for a terminal of any width, a table for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.instants import format_instant
from tondo.stages.data import display

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.data.statistics import ColumnStatistics, Lengths, Statistics

WIDTH = 100
"""Characters a line where nobody says how wide the terminal is."""
# From here on there is room for mean, sd and median beside the range.
_WIDE = 110
_LONGEST_NAME = 32
_LONGEST_VALUE = 24
_DRAWN = 10
_TOP = 6
_DAY_US = 86_400_000_000


def text(statistics: Statistics, *, width: int = WIDTH) -> str:
    """Return a line for each column, none longer than `width` characters."""
    columns = statistics.columns
    heads = ["column", "type", "distribution", "missing", "distinct"]
    rows = [_fixed_cells(name, column) for name, column in columns.items()]
    widths = [max(map(len, each)) for each in zip(heads, *rows, strict=True)]
    widths[0] = min(widths[0], max(width // 4, 8), _LONGEST_NAME)
    values = _values(list(columns.values()), is_wide=width >= _WIDE)
    lines = [
        _line([*cells, value], widths)
        for cells, value in zip([heads, *rows], ["values", *values], strict=True)
    ]
    title = f"Statistics of {statistics.rows:,} rows, {len(columns)} columns"
    return "\n".join(display.shortened(each, width) for each in [title, *lines])


def html(statistics: Statistics) -> str:
    """Return a table with pictures for a notebook."""
    rows = [
        [
            name,
            column.type,
            display.bars(_counts(column)),
            display.Figure(display.percent(_missing(column))),
            display.Figure(_distinct(column)),
            _span(column),
            display.Figure("" if column.mean is None else _figure(column.mean, column.type)),
            display.Figure("" if column.sd is None else display.number(column.sd)),
            _top(column),
        ]
        for name, column in statistics.columns.items()
    ]
    heads = ["column", "type", "distribution", "missing", "distinct", "range", "mean", "sd"]
    return display.table([*heads, "most frequent"], rows, caption=f"{statistics.rows:,} rows")


def drawn(column: ColumnStatistics) -> ColumnStatistics:
    """Return what is looked at of a column: of lists, their items."""
    return column if column.items is None else column.items


def ends(lengths: Lengths) -> str:
    """Return the shortest and the longest length, once when they are the same."""
    known = dict.fromkeys(each for each in (lengths.min, lengths.max) if each is not None)
    return " to ".join(f"{each:,}" for each in known)


def _fixed_cells(name: str, column: ColumnStatistics) -> list[str]:
    return [
        display.visible(name),
        column.type,
        display.blocks(_counts(column)),
        display.percent(_missing(column)),
        _distinct(column),
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, type_, picture, missing, distinct, value = cells
    return "  ".join(
        [
            display.shortened(name, widths[0]).ljust(widths[0]),
            type_.ljust(widths[1]),
            picture.ljust(widths[2]),
            missing.rjust(widths[3]),
            distinct.rjust(widths[4]),
            value,
        ]
    ).rstrip()


def _values(columns: Sequence[ColumnStatistics], *, is_wide: bool) -> list[str]:
    """Return range and middle of numbers under each other, of others what they have."""
    numbers = {place: _numbers(each) for place, each in enumerate(columns) if _is_number(each)}
    widths = [max(map(len, each)) for each in zip(*numbers.values(), strict=True)]
    found = []
    for place, column in enumerate(columns):
        if place not in numbers:
            parts = [_span(column), _top(column)] if is_wide else [_short(column)]
            found.append(" · ".join(each for each in parts if each))
            continue
        low, high, mean, sd, median = (
            each.rjust(width) for each, width in zip(numbers[place], widths, strict=True)
        )
        span = f"{low} to {high.strip().ljust(widths[1])}"
        more = f"  mean {mean}  sd {sd}  median {median}"
        found.append(span + more if is_wide and mean.strip() else span)
    return found


def _is_number(column: ColumnStatistics) -> bool:
    return column.type in {"double", "id"} and column.min is not None


def _numbers(column: ColumnStatistics) -> list[str]:
    """Return low, high, mean, sd and median."""
    figures = (column.min, column.max, column.mean, column.sd, column.quantiles.get("0.50"))
    return ["" if each is None else display.number(each) for each in figures]


def _missing(column: ColumnStatistics) -> float | None:
    return (column.rows - column.present) / column.rows if column.rows else None


def _distinct(column: ColumnStatistics) -> str:
    known = drawn(column).distinct
    return "-" if known is None else f"{known:,}"


def _counts(column: ColumnStatistics) -> list[int]:
    shown = drawn(column)
    if shown.histogram:
        return [count for _, _, count in shown.histogram]
    return [count for _, count in shown.top[:_DRAWN]]


def _span(column: ColumnStatistics) -> str:
    """Return the range of numbers and times, the lengths of texts and lists."""
    shown = drawn(column)
    parts = []
    if column.items is not None and column.length is not None and column.length.mean is not None:
        parts.append(f"{ends(column.length)} items")
    if shown.min is not None:
        known = dict.fromkeys(_figure(each, shown.type) for each in (shown.min, shown.max))
        parts.append(" to ".join(known))
    elif shown.type == "string" and shown.length is not None and shown.length.mean is not None:
        parts.append(f"{ends(shown.length)} characters")
    return " of ".join(parts)


def _short(column: ColumnStatistics) -> str:
    """Return what says most where there is little room."""
    shown = drawn(column)
    if shown.type == "timestamp" and shown.min is not None:
        days = [_figure(each, shown.type)[:10] for each in (shown.min, shown.max)]
        return " to ".join(dict.fromkeys(days))
    return _top(column) or _span(column)


def _figure(value: float | None, type_: str) -> str:
    if value is None:
        return "-"
    if type_ in {"timestamp", "date"}:
        try:
            at_us = int(value) * (_DAY_US if type_ == "date" else 1)
            whole = format_instant(at_us)
        except (OverflowError, ValueError):
            # Beyond the year 9999 there is no calendar in Python.
            return display.number(value)
        return whole[:10] if type_ == "date" else whole
    return display.number(value)


def _top(column: ColumnStatistics) -> str:
    shown = drawn(column)
    if shown.type not in {"string", "bool"}:
        return ""
    return ", ".join(
        f"{_value(value)} {display.percent(count / shown.present)}"
        for value, count in shown.top[:_TOP]
    )


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return display.shortened(display.visible(str(value)), _LONGEST_VALUE) or "(empty)"
