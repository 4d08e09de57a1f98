"""A table that fits its terminal: names and instants stay whole, and what has no room is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

_WHOLE = 24
"""Signs up to which a column is never broken: an instant, a name, the beginning of an id."""
_SENTENCE = 16
"""Signs that a column of sentences has at least."""
_BETWEEN = 3
_EDGES = 2


class Column(NamedTuple):
    """One column: its head, its cells as Rich's markup, and on which side they stand."""

    head: str
    cells: Sequence[str]
    is_right: bool

    @property
    def natural(self) -> int:
        """Signs that the longest cell takes."""
        return max(
            cell_len(self.head), *(cell_len(Text.from_markup(each).plain) for each in self.cells)
        )

    @property
    def least(self) -> int:
        """Signs below which it would break within a name."""
        spoken = any(" " in each for each in self.cells)
        return min(self.natural, _SENTENCE if spoken and self.natural > _WHOLE else _WHOLE)


class FittingTable:
    """Draws as many columns as fit, in their order; the names of the others stand below."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Tell Rich the width that all columns would like."""
        del console
        wanted = sum(each.natural for each in self._columns)
        wanted += _BETWEEN * (len(self._columns) - 1) + _EDGES
        most = min(wanted, options.max_width)
        return Measurement(most, most)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw within the width that Rich gives."""
        del console
        shown = self._fitting(options.max_width)
        table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for each in shown:
            table.add_column(
                each.head,
                justify="right" if each.is_right else "left",
                overflow="fold",
                min_width=each.least,
                no_wrap=each.least == each.natural,
            )
        for row in zip(*(each.cells for each in shown), strict=True):
            table.add_row(*row)
        yield table
        left_out = [each.head for each in self._columns[len(shown) :]]
        if left_out:
            yield Text(f"In a wider terminal, or with --json: {', '.join(left_out)}", style="dim")

    def _fitting(self, width: int) -> Sequence[Column]:
        used = _EDGES - _BETWEEN
        for place, each in enumerate(self._columns):
            used += each.least + _BETWEEN
            if used > width and place:
                return self._columns[:place]
        return self._columns
