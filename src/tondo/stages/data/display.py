"""What a notebook shows: small tables with bars. Every text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_BAR_PX = 5
_HEIGHT_PX = 18


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
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    return Markup(f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")


def _cell(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)


def bars(counts: Sequence[int]) -> Markup:
    """Return counts as an inline picture of bars, the highest full."""
    most = max(counts, default=0) or 1
    drawn = []
    for position, count in enumerate(counts):
        height = round(_HEIGHT_PX * count / most, 1)
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
    """Return counts as a line of block characters, for terminals.

    >>> blocks([0, 1, 4])
    '▁▃█'
    """
    most = max(counts, default=0) or 1
    return "".join(_BLOCKS[round(count / most * (len(_BLOCKS) - 1))] for count in counts)
