"""What changed between the statistics of two tables, such as two snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.stages.data import display
from tondo.stages.data.statistics import ColumnStatistics, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.stages.data.statistics import Statistics

_SHOWN_QUANTILES = ("0.05", "0.50", "0.95")
_SHOWN_VALUES = 3


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A figure before and after."""

    before: Any
    after: Any

    @property
    def changed(self) -> bool:
        """Whether the two differ at all."""
        return bool(self.before != self.after)

    def text(self, spelled: Callable[[Any], str]) -> str:
        """Return the figure once when it stayed, and as `before -> after` when not."""
        if not self.changed:
            return _known(self.after, spelled)
        return f"{_known(self.before, spelled)} -> {_known(self.after, spelled)}"


class ColumnComparison(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in one column."""

    type: Change
    missing_share: Change
    """Nulls and NaN as a share of the rows; None without rows."""
    distinct: Change
    mean: Change
    sd: Change
    quantiles: dict[str, Change]
    """By level, as `0.25`: those known on both sides."""
    new_values: tuple[Value, ...] | None
    """Frequent values of after that before has not; None when before is not known to the last."""
    gone_values: tuple[Value, ...] | None
    """Frequent values of before that after has not; None when after is not known to the last."""

    @property
    def changed(self) -> bool:
        """Whether any figure differs."""
        figures = [self.type, self.missing_share, self.distinct, self.mean, self.sd]
        figures += self.quantiles.values()
        return any(each.changed for each in figures) or bool(self.new_values or self.gone_values)

    def texts(self) -> list[str]:
        """Return what changed, a phrase each."""
        named = {
            "type": self.type.text(str),
            "missing": self.missing_share.text("{:.1%}".format),
            "distinct": self.distinct.text("{:,}".format),
            "mean": self.mean.text("{:.4g}".format),
            "sd": self.sd.text("{:.4g}".format),
        }
        quantiles = {
            each: self.quantiles[each] for each in _SHOWN_QUANTILES if each in self.quantiles
        }
        named |= {f"q{level}": each.text("{:.6g}".format) for level, each in quantiles.items()}
        told = [f"{name} {text}" for name, text in named.items() if " -> " in text]
        for word, values in (("new", self.new_values), ("gone", self.gone_values)):
            if values:
                more = f" and {len(values) - _SHOWN_VALUES:,} more"
                listed = ", ".join(map(str, values[:_SHOWN_VALUES]))
                told.append(f"{word} {listed}{more if len(values) > _SHOWN_VALUES else ''}")
        return told or (["quantiles moved"] if self.changed else ["unchanged"])


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What changed between two tables."""

    rows: Change
    columns: dict[str, ColumnComparison]
    """Of the columns that both have."""
    new_columns: tuple[str, ...]
    gone_columns: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        columns = any(each.changed for each in self.columns.values())
        return self.rows.changed or columns or bool(self.new_columns or self.gone_columns)

    def __repr__(self) -> str:
        width = max((len(name) for name, _ in self._lines()), default=0)
        lines = [f"{name.ljust(width)}  {text}" for name, text in self._lines()]
        return "\n".join([f"Comparison of {self._title()}", *lines])

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        rows = [[name, text] for name, text in self._lines()]
        return display.table(["column", "change"], rows, caption=self._title())

    def _title(self) -> str:
        return f"{self.rows.text('{:,}'.format)} rows"

    def _lines(self) -> list[tuple[str, str]]:
        lines = [(name, "gone") for name in self.gone_columns]
        lines += [(name, "new") for name in self.new_columns]
        return lines + [(name, "; ".join(each.texts())) for name, each in self.columns.items()]


def compare(before: Statistics, after: Statistics) -> Comparison:
    """Return what changed from one table's statistics to another's.

    >>> from tondo.stages.data.statistics import ColumnStatistics, Statistics
    >>> def table(rows, mean):
    ...     column = ColumnStatistics(type="double", rows=rows, missing=0, mean=mean, sd=1.0)
    ...     return Statistics(rows=rows, columns={"delay": column})
    >>> compare(table(10, 4.5), table(12, 5.25))
    Comparison of 10 -> 12 rows
    delay  mean 4.5 -> 5.25
    """
    both = [name for name in before.columns if name in after.columns]
    return Comparison(
        rows=Change(before=before.rows, after=after.rows),
        columns={name: _compared(before.columns[name], after.columns[name]) for name in both},
        new_columns=tuple(name for name in after.columns if name not in before.columns),
        gone_columns=tuple(name for name in before.columns if name not in after.columns),
    )


def _compared(before: ColumnStatistics, after: ColumnStatistics) -> ColumnComparison:
    levels = [level for level in before.quantiles if level in after.quantiles]

    def change(figure: Callable[[ColumnStatistics], Any]) -> Change:
        return Change(before=figure(before), after=figure(after))

    return ColumnComparison(
        type=change(lambda each: each.type),
        missing_share=change(_missing_share),
        distinct=change(lambda each: each.distinct),
        mean=change(lambda each: each.mean),
        sd=change(lambda each: each.sd),
        quantiles={
            level: Change(before=before.quantiles[level], after=after.quantiles[level])
            for level in levels
        },
        new_values=_only_in(after, before),
        gone_values=_only_in(before, after),
    )


def _missing_share(column: ColumnStatistics) -> float | None:
    return (column.rows - column.present) / column.rows if column.rows else None


def _only_in(here: ColumnStatistics, there: ColumnStatistics) -> tuple[Value, ...] | None:
    if there.distinct is None or there.tail:
        return None
    known = {(type(value), value) for value, _ in there.top}
    return tuple(value for value, _ in here.top if (type(value), value) not in known)


def _known(value: Any, spelled: Callable[[Any], str]) -> str:
    return "-" if value is None else spelled(value)
