"""Figures, texts and small pictures as people see them, in a terminal or in a notebook.

HTML is escaped; what would steer a terminal is made visible.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_BAR_PX = 7
_HEIGHT_PX = 22
_LEAST_PX = 1


# Unicode shows C0 at U+2400; lone surrogates cannot be sent, and line breaks would end a line.
_PICTURES = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029), 0xFFFD),
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}
# A year is not grouped, a count of rows is.
_GROUPED_FROM = 10_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
# Below it every whole double has all its digits.
_EXACT_BELOW = 1e15


class Figure(str):
    """Text that is a figure: it stands at the right of its cell."""

    __slots__ = ()


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> Markup:
    """Return an HTML table; cells are escaped unless they are `Markup`.

    >>> table(["a"], [["<b>"]])
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    heads = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return Markup(f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")


def _cell(text: str) -> str:
    style = ' style="text-align:right"' if isinstance(text, Figure) else ""
    return f"<td{style}>{text if isinstance(text, Markup) else escape(text)}</td>"


def bars(counts: Sequence[int]) -> Markup:
    """Return counts as an inline picture of bars, the highest full."""
    most = max(counts, default=0) or 1
    drawn = []
    for position, count in enumerate(counts):
        height = max(round(_HEIGHT_PX * count / most, 1), _LEAST_PX) if count else 0
        drawn.append(
            f'<rect x="{position * _BAR_PX}" y="{_HEIGHT_PX - height:g}" '
            f'width="{_BAR_PX - 1}" height="{height:g}"/>'
        )
    width = _BAR_PX * len(counts)
    return Markup(
        f'<svg width="{width}" height="{_HEIGHT_PX}" fill="currentColor" role="img" '
        f'aria-label="{", ".join(map(str, counts))}">{"".join(drawn)}</svg>'
    )


def blocks(counts: Sequence[int]) -> str:
    """Return counts as a line of block characters, for terminals; nothing is a blank.

    >>> blocks([0, 1, 4])
    ' ▃█'
    """
    most = max(counts, default=0) or 1
    last = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round(each / most * last)] if each else " " for each in counts)


def number(value: float) -> str:
    """Return a figure in four digits, whole ones in full, with groups from 10,000.

    >>> [number(each) for each in (-86.0, 44.6332, 2013, 293108.4, 0.00001234)]
    ['-86', '44.63', '2013', '293,108', '1.234e-05']
    """
    exact = abs(value) < _EXACT_BELOW
    if exact and float(value).is_integer():
        return f"{int(value):,}" if abs(value) >= _GROUPED_FROM else str(int(value))
    return f"{value:,.0f}" if exact and abs(value) >= _GROUPED_FROM else f"{value:.4g}"


def percent(share: float | None) -> str:
    """Return a share as per cent; what is neither nothing nor all never reads as such.

    >>> [percent(each) for each in (0.0, 0.00001, 0.3, 0.99999, 1.0)]
    ['0 %', '<0.1 %', '30.0 %', '>99.9 %', '100 %']
    """
    if share is None:
        return "-"
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{share:.0%}".replace("%", " %") if share in {0, 1} else f"{share * 100:.1f} %"


def seconds(value: float) -> str:
    """Return a duration as people say it.

    >>> [seconds(each) for each in (0, 0.00025, 0.0042, 0.42, 5, 7.26)]
    ['0 s', '250 µs', '4 ms', '0.42 s', '5 s', '7.3 s']
    >>> [seconds(each) for each in (60, 83, 4000, 259_200)]
    ['1 min', '1 min 23 s', '1 h 6 min', '3 d']
    """
    if value >= _MINUTE_S:
        return _in_two_units(value)
    if value >= 1:
        return f"{value:.1f}".removesuffix(".0") + " s"
    if value >= 0.1:
        return f"{value:.2f} s"
    if value >= 0.001:
        return f"{value * 1000:.0f} ms"
    return f"{value * 1e6:.0f} µs" if value > 0 else "0 s"


def _in_two_units(value: float) -> str:
    """Return a duration of a minute and more; the smaller unit is left out where it is none."""
    large_s, large, small_s, small = _MINUTE_S, "min", 1, "s"
    if value >= 2 * _DAY_S:
        large_s, large, small_s, small = _DAY_S, "d", _HOUR_S, "h"
    elif value >= _HOUR_S:
        large_s, large, small_s, small = _HOUR_S, "h", _MINUTE_S, "min"
    rest = int(value % large_s // small_s)
    return f"{int(value // large_s):,} {large}" + (f" {rest} {small}" if rest else "")


def visible(text: str) -> str:
    r"""Return text with its control characters as pictures, fit to stand in a line.

    >>> visible("a\x00b"), visible("\ud800")
    ('a␀b', '�')
    """
    return text.translate(_PICTURES)


def shortened(text: str, most: int) -> str:
    """Return text of at most `most` characters, an ellipsis for what was cut.

    >>> shortened("sched_dep_time", 8)
    'sched_d…'
    """
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"
