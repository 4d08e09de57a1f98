"""What exact sums over windows answer: the arithmetic of `language/windows.py`, by columns.

An engine gives a table with one row per spine row: `keyed` (neither key nor time is null), `g`
(events), and for each slot `p0` (values), `q0` (their sum in units of 2**-scale_bits) and, for
stddev, `z0` (the sum of squares), these two as double where exact and as text in `q0_wide` beyond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tondo.language.tree import Node
from tondo.language.windows import arguments_of, finish, finish_ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.language.tree import WindowCall

SUMS = ("count", "sum", "avg", "stddev", "ratio")
"""Window functions whose sums can be added to and taken from."""
EXACT = 1 << 53
"""Integers up to here are doubles; a quotient of two of them is rounded once."""


class Slot(msgspec.Struct, frozen=True):
    """One argument that is summed, for as many calls as sum it."""

    kind: str
    """`count`, `sum`, or `stddev` where squares are summed too."""
    argument: Node
    scale_bits: int


class Slots:
    """The distinct summed arguments of some calls; their places number the columns."""

    def __init__(self, calls: Iterable[WindowCall]) -> None:
        asked = (_slot(call, each) for call in calls for each in arguments_of(call))
        self.known = list(dict.fromkeys(asked))

    def places(self, call: WindowCall) -> list[int]:
        """Return where the arguments of a call are."""
        return [self.known.index(_slot(call, argument)) for argument in arguments_of(call)]


def _slot(call: WindowCall, argument: Node) -> Slot:
    if call.function == "count":
        return Slot("count", argument, 0)
    return Slot("stddev" if call.function == "stddev" else "sum", argument, call.scale_bits)


def answered(call: WindowCall, slots: Slots, found: pa.Table) -> pa.Array:
    """Return the call's column."""
    import pyarrow as pa

    keyed = found.column("keyed").to_numpy()
    if call.argument is None:
        return pa.array(found.column("g").to_numpy().astype(float), mask=~keyed)
    place, *others = slots.places(call)
    n = found.column(f"p{place}").to_numpy()
    if call.function == "count":
        return pa.array(n.astype(float), mask=~keyed)
    if call.function == "stddev":
        return pa.array(_spreads(call, n, found, place), type=pa.float64())
    if call.function == "ratio":
        return _ratios(n, found, place, others[0])
    totals = found.column(f"q{place}").to_numpy()
    present = n > 0
    divisor = np.where(present, n, 1) if call.function == "avg" else np.ones(len(n))
    values = totals / (divisor * float(1 << call.scale_bits))
    wide = found.column(f"q{place}_wide")
    for row in np.flatnonzero(present & np.isnan(totals)):
        values[row] = finish(call, int(n[row]), int(wide[int(row)].as_py()), 0)
    return pa.array(values, mask=~present)


def _ratios(n: np.ndarray, found: pa.Table, above: int, below: int) -> pa.Array:
    import pyarrow as pa

    totals, divisors = (found.column(f"q{place}").to_numpy() for place in (above, below))
    present = (n > 0) & (divisors != 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Adding 0.0 makes 0.0 of the -0.0 that 0 over a negative sum gives.
        values = totals / divisors + 0.0
    wide = np.flatnonzero(present & (np.isnan(totals) | np.isnan(divisors)))
    if len(wide):
        rows = found.take(wide)
        exact = zip(_integers(rows, f"q{above}"), _integers(rows, f"q{below}"), strict=True)
        for row, (total, divisor) in zip(wide.tolist(), exact, strict=True):
            values[row] = finish_ratio(1, total, divisor)
    return pa.array(values, mask=~present)


def _spreads(call: WindowCall, n: np.ndarray, found: pa.Table, place: int) -> list[float | None]:
    totals = _integers(found, f"q{place}")
    squares = _integers(found, f"z{place}")
    return [
        finish(call, count, total, square)
        for count, total, square in zip(n.tolist(), totals, squares, strict=True)
    ]


def _integers(found: pa.Table, name: str) -> list[int]:
    """Return a running sum as unbounded integers; 0 where no event ever was."""
    narrow, wide = found.column(name).to_pylist(), found.column(f"{name}_wide").to_pylist()
    return [
        int(text) if text is not None else int(value or 0)
        for value, text in zip(narrow, wide, strict=True)
    ]
