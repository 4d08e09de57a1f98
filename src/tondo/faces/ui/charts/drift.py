"""Drift per feature as bars against their limit, the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.workspace.pages import DriftRow

if TYPE_CHECKING:
    from collections.abc import Sequence


# The bar's canvas is 100 wide; the limit stands at 60, so that a feature can pass it visibly.
LIMIT_AT = 60.0
FULL = 100.0


class DriftBar(msgspec.Struct, frozen=True, kw_only=True):
    """One feature's bar; 100 is the whole width, `LIMIT_AT` the limit."""

    row: DriftRow
    length: float
    beyond: bool
    """True when the value is off the canvas and the bar is cut."""


def drift_bars(rows: Sequence[DriftRow]) -> list[DriftBar]:
    """Return the bars, those nearest to or furthest beyond their limit first."""
    return sorted((_bar(each) for each in rows), key=lambda bar: -_share(bar.row))


def _bar(row: DriftRow) -> DriftBar:
    length = _share(row) * LIMIT_AT
    return DriftBar(row=row, length=round(min(max(length, 0.0), FULL), 1), beyond=length > FULL)


def _share(row: DriftRow) -> float:
    return row.value / row.limit if row.limit > 0 else 0.0
