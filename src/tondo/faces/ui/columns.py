"""Columns in words and figures, as the templates of data pages read them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tondo.faces.ui.charts.columns import REST, Overlay, Picture, overlay, picture
from tondo.faces.ui.words import NONE, count, figure, share
from tondo.stages.data import display
from tondo.stages.data.statistics_display import drawn, ends

if TYPE_CHECKING:
    from tondo.stages.data.compare_statistics import ColumnComparison
    from tondo.stages.data.statistics import ColumnStatistics
    from tondo.workspace.data_pages import ColumnRow, MovedColumn

_TOP = 12
_NEW_SHOWN = 3
_MOST_OFTEN = 24
"""Characters of the most frequent value beside the picture."""
_QUANTILES = {"0.05": "5 %", "0.50": "median", "0.95": "95 %"}
_MEASURES = {
    "l_infinity": "L-infinity",
    "jensen_shannon": "Jensen-Shannon",
    "normalized_difference": "normalised difference",
}


class TopValue(msgspec.Struct, frozen=True, kw_only=True):
    """A frequent value."""

    text: str
    count: int
    share: float
    """Of the values that are present."""
    length: float
    """Of its bar: the most frequent value has 100."""


class ColumnView(msgspec.Struct, frozen=True, kw_only=True):
    """One column of one version."""

    name: str
    type: str
    picture: Picture | None
    missing: float | None
    distinct: int | None
    span: str
    """Range, lengths or the commonest value."""
    middle: str
    """Mean and spread, or what else sums it up."""
    must: str
    facts: list[tuple[str, str]]
    top: list[TopValue]
    rest: TopValue | None
    buckets: list[tuple[str, str, int, float]]
    """From, to, count, share."""


class MovedView(msgspec.Struct, frozen=True, kw_only=True):
    """One column of two versions."""

    name: str
    type: str
    overlay: Overlay | None
    distances: list[tuple[str, float]]
    where: str
    """Where the two differ most; empty when it cannot be said."""
    changes: list[str]


def column_view(row: ColumnRow) -> ColumnView:
    """Return what the page says of a column."""
    column = row.statistics
    shown = drawn(column)
    present = shown.present or 1
    most = max((n for _, n in shown.top), default=1)
    rows = [(_text(value, shown.type), n) for value, n in shown.top[:_TOP]]
    rest = shown.present - sum(n for _, n in rows)
    top = [
        TopValue(text=text, count=n, share=n / present, length=round(min(100 * n / most, 100), 1))
        for text, n in [*rows, (REST, rest)]
    ]
    return ColumnView(
        name=row.name,
        type=column.type,
        picture=picture(column),
        missing=(column.rows - column.present) / column.rows if column.rows else None,
        distinct=shown.distinct,
        span=_span(column),
        middle=_middle(column),
        must=row.must,
        facts=_facts(column),
        top=top[:-1],
        rest=top[-1] if rest and shown.top else None,
        buckets=[
            (figure(low, shown.type), figure(high, shown.type), n, n / present)
            for low, high, n in shown.histogram
        ],
    )


def moved_view(moved: MovedColumn) -> MovedView:
    """Return what the page says of a column that moved."""
    found = {name: value for name, (value, _) in moved.distances.items()}
    types = dict.fromkeys((moved.before.type, moved.after.type))
    where = moved.distances.get("l_infinity", (0.0, None))[1]
    return MovedView(
        name=moved.name,
        type=" \N{RIGHTWARDS ARROW} ".join(types),
        overlay=overlay(moved.before, moved.after),
        distances=[(word, found[name]) for name, word in _MEASURES.items() if name in found],
        where=_where(where, drawn(moved.after).type),
        changes=_changes(moved.comparison, drawn(moved.after).type),
    )


def _changes(comparison: ColumnComparison, type_: str) -> list[str]:
    """Return each figure that is not the same, before and after."""
    figures = {
        "missing": (comparison.missing_share, share),
        "distinct": (comparison.distinct, figure),
        "mean": (comparison.mean, figure),
        "sd": (comparison.sd, figure),
    }
    found = [(word, change, spelled) for word, (change, spelled) in figures.items()]
    found += [
        (word, comparison.quantiles[level], partial(figure, type_=type_))
        for level, word in _QUANTILES.items()
        if level in comparison.quantiles
    ]
    told = [
        f"{word} {spelled(change.before)} \N{RIGHTWARDS ARROW} {spelled(change.after)}"
        for word, change, spelled in found
        if change.changed
    ]
    for word, values in (("new", comparison.new_values), ("gone", comparison.gone_values)):
        if values:
            listed = ", ".join(_text(each, type_) for each in values[:_NEW_SHOWN])
            more = len(values) - _NEW_SHOWN
            told.append(f"{word} {listed}" + (f" and {count(more)} more" if more > 0 else ""))
    return told


def _where(label: str | None, type_: str) -> str:
    if not label or type_ not in {"timestamp", "date", "double", "id"}:
        return label or ""
    try:
        return figure(float(label), type_)
    except ValueError:
        return label


def _text(value: object, type_: str) -> str:
    return value if isinstance(value, str) else figure(value, type_)


def _span(column: ColumnStatistics) -> str:
    shown = drawn(column)
    if shown.min is not None:
        return f"{figure(shown.min, shown.type)} to {figure(shown.max, shown.type)}"
    if shown.length is not None and shown.length.mean is not None and shown.type == "string":
        return f"{ends(shown.length)} character{'' if shown.length.max == 1 else 's'}"
    return ", ".join(_text(value, shown.type) for value, _ in shown.top[:2]) or NONE


def _middle(column: ColumnStatistics) -> str:
    shown = drawn(column)
    if column.items is not None and column.length is not None and column.length.mean is not None:
        return f"{ends(column.length)} items a list"
    if shown.mean is not None and shown.type in {"double", "id"}:
        return f"mean {figure(shown.mean)}, sd {figure(shown.sd)}"
    if shown.top and shown.type in {"string", "bool"}:
        value, n = shown.top[0]
        text = display.shortened(_text(value, shown.type), _MOST_OFTEN) or "empty"
        return f"most often {text} ({share(n / (shown.present or 1))})"
    return ""


def _facts(column: ColumnStatistics) -> list[tuple[str, str]]:
    shown = drawn(column)
    quantiles = {
        "5 %": shown.quantiles.get("0.05"),
        "quarter": shown.quantiles.get("0.25"),
        "median": shown.quantiles.get("0.50"),
        "three quarters": shown.quantiles.get("0.75"),
        "95 %": shown.quantiles.get("0.95"),
    }
    found = [
        (word, figure(each, shown.type)) for word, each in quantiles.items() if each is not None
    ]
    counts = {
        "nulls": column.missing,
        "NaN": shown.nan,
        "infinite": shown.infinite,
        "zeros": shown.zeros,
        "empty": column.empty,
    }
    found += [(word, count(each)) for word, each in counts.items() if each]
    if shown.tokens is not None and (shown.tokens.max or 0) > 1:
        found.append(("words", ends(shown.tokens)))
    if column.weighted is not None:
        found.append(("weighted mean", figure(column.weighted.mean)))
    return found
