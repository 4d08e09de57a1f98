"""An execution's steps as bars one after the other, each as long as it took."""

from __future__ import annotations

import msgspec

from tondo.workspace.pages import ExecutionRow, StepRow

# The canvas is 100 wide; a step that took no time still shows as a hairline.
FULL = 100.0
THINNEST = 0.8


class StepBar(msgspec.Struct, frozen=True, kw_only=True):
    """One step's place on a canvas 100 wide."""

    row: StepRow
    x: float
    width: float


class ExecutionBars(msgspec.Struct, frozen=True, kw_only=True):
    """An execution with its steps laid out."""

    row: ExecutionRow
    bars: list[StepBar]
    reused: int
    failed: list[StepRow]


def execution_bars(row: ExecutionRow) -> ExecutionBars:
    """Return the layout of an execution."""
    total = sum(each.seconds for each in row.steps) or 1.0
    bars, at = [], 0.0
    for each in row.steps:
        share = each.seconds / total * FULL
        width = round(min(max(share, THINNEST), FULL - min(at, FULL - THINNEST)), 2)
        bars.append(StepBar(row=each, x=round(min(at, FULL - THINNEST), 2), width=width))
        at += share
    return ExecutionBars(
        row=row,
        bars=bars,
        reused=sum(each.reused for each in row.steps),
        failed=[each for each in row.steps if each.ok is False],
    )
