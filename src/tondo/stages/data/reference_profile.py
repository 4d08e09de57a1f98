"""What accepted rows look like, and how much they usually move: the yardstick for the next batch.

The rows are cut, in their order, into up to a hundred blocks. Blocks joined to the size of a batch
show how far rows of this source usually are from the whole: by day of the week, in a storm, by the
hour. A batch has moved when it is further away than that.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import msgspec

from tondo.scoring.baseline import (
    Distribution,
    count_values,
    learn_distribution,
    psi,
    psi_noise_floor,
)
from tondo.stages.data.column_numbers import Reads, how_to_read, read_column
from tondo.stages.data.relations import Relation, Rows, instants_of, learn_relations
from tondo.stages.data.statistics import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.stages.data.column_numbers import ColumnNumbers

LEAST_ROWS = 200
"""Fewer rows say too little of what is usual; there is no profile of them."""

_BLOCKS = 100
_LEAST_BLOCK = 64
_LEAST_PIECES = 20
"""Fewer joined blocks would say little of what is usual; larger batches are held to these."""
_ELSEWHERE = 1.0
"""Mean effect of the blocks from which a column tells the time: a month, a running number."""
_COMMON = 200
"""Most frequent values that are kept with their shares."""
_CLEAR_ORDER = 0.8
"""Share of rows from which 'one column is below the other' is worth watching."""
_MOST_PAIRED = 40
"""Columns of each kind of which pairs are watched; more would be 800 pairs and above."""


class Usual(msgspec.Struct, frozen=True, kw_only=True):
    """Mean and standard deviation of a measure over the blocks."""

    mean: float
    sd: float

    def limit(self, deviations: float = 3.0) -> float:
        """Return what a usual block seldom exceeds."""
        return self.mean + deviations * self.sd


class ColumnReference(msgspec.Struct, frozen=True, kw_only=True):
    """One column of accepted rows."""

    reads: Reads
    """What of the column is looked at: a time's hour, a list's number of items."""
    labels: tuple[Value, ...] = ()
    """Of texts and truth values: those that have a bin of their own."""
    bins: Distribution
    """All rows."""
    moves: dict[str, Usual]
    """Number of blocks joined to the population stability index of such pieces, above its noise."""
    null_rises: dict[str, Usual]
    """Number of blocks joined to the rise of their share of nulls."""
    lowest: float | None = None
    highest: float | None = None
    """Extremes of the finite numbers."""
    common: tuple[tuple[Value, float], ...] = ()
    """Most frequent values with their shares of all rows."""
    rise: Usual
    """By how much a block's most frequent value is more frequent there than in all rows."""
    distinct: dict[str, Usual] = {}
    """Number of a block's first rows to the distinct values among them."""

    @property
    def tells_time(self) -> bool:
        """Whether each block lies elsewhere, so that no batch can be where the others were."""
        return self.moves["1"].mean > _ELSEWHERE


class OrderReference(msgspec.Struct, frozen=True, kw_only=True):
    """How often one numeric column is below another, where that is nearly always or never so."""

    first: str
    second: str
    share: float
    """Share of the rows having both in which `first` < `second`."""
    usual: Usual
    """How far the blocks' shares are from it."""


class ReferenceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Accepted rows of a dataset."""

    name: str
    rows: int
    block_rows: int
    columns: dict[str, ColumnReference]
    orders: tuple[OrderReference, ...] = ()
    relations: tuple[Relation, ...] = ()
    """What held between the columns of every row."""


def learn_profile(table: pa.Table, *, name: str) -> ReferenceProfile | None:
    """Learn how a dataset's rows look, in the order in which they came; None below 200 rows."""
    rows = table.num_rows
    if rows < LEAST_ROWS:
        return None
    blocks = _cut(rows)
    block_rows = rows // len(blocks)
    columns: dict[str, ColumnReference] = {}
    paired: dict[str, ColumnNumbers] = {}
    for column in table.column_names:
        reads = how_to_read(table.column(column).type)
        if reads is None:
            continue
        read = read_column(table.column(column), reads)
        columns[column] = _column(read, blocks, block_rows=block_rows)
        if sum(each.reads == reads for each in paired.values()) < _MOST_PAIRED:
            paired[column] = read
    numbers = {name: each.values for name, each in paired.items() if each.reads == "number"}
    return ReferenceProfile(
        name=name,
        rows=rows,
        block_rows=block_rows,
        columns=columns,
        orders=tuple(_orders(numbers, blocks)),
        relations=learn_relations(
            Rows(paired, times_of(table, paired)),
            running={name for name in paired if columns[name].tells_time},
        ),
    )


def times_of(table: pa.Table, columns: Mapping[str, ColumnNumbers]) -> dict[str, np.ndarray]:
    """Return the instants of those of the columns that hold times."""
    times = [name for name, each in columns.items() if each.reads == "hour"]
    return {name: instants_of(table.column(name)) for name in times}


def _cut(rows: int) -> list[slice]:
    count = max(2, min(_BLOCKS, rows // _LEAST_BLOCK))
    edges = [rows * at // count for at in range(count + 1)]
    return [slice(start, end) for start, end in itertools.pairwise(edges)]


def _column(read: ColumnNumbers, blocks: Sequence[slice], *, block_rows: int) -> ColumnReference:
    import numpy as np

    labels, binned = read.labelled()
    bins = learn_distribution(binned, categorical=not read.is_numeric)
    finite = read.values[np.isfinite(read.values)] if read.is_numeric else np.empty(0)
    common = read.common(_COMMON)
    sizes = sizes_up_to(block_rows)
    figures = [_figures(read.part(block), dict(common), sizes) for block in blocks]
    pieces = _usual_moves(bins, [count_values(bins, binned[block]) for block in blocks])
    return ColumnReference(
        reads=read.reads,
        labels=labels,
        bins=bins,
        moves={size: each[0] for size, each in pieces.items()},
        null_rises={size: each[1] for size, each in pieces.items()},
        lowest=float(finite.min()) if len(finite) else None,
        highest=float(finite.max()) if len(finite) else None,
        common=common,
        rise=usual_of(rise for rise, _ in figures),
        distinct={
            str(size): usual_of(counts[place] for _, counts in figures)
            for place, size in enumerate(sizes)
        },
    )


def _usual_moves(whole: Distribution, blocks: list[Distribution]) -> dict[str, tuple[Usual, Usual]]:
    """Return, for 1, 2, 4... blocks joined, how far such pieces are from all rows."""
    found = {}
    size, pieces = 1, blocks
    while len(pieces) >= min(_LEAST_PIECES, len(blocks)):
        effects = [psi(whole, each) - psi_noise_floor(whole, each) for each in pieces]
        rises = [each.null_share - whole.null_share for each in pieces]
        found[str(size)] = (usual_of(effects), usual_of(rises))
        size, pieces = 2 * size, [a + b for a, b in zip(pieces[::2], pieces[1::2], strict=False)]
    return found


def _figures(
    block: ColumnNumbers, shares: dict[Value, float], sizes: list[int]
) -> tuple[float, list[int]]:
    """Return how far the top value's share rises, and the distinct values of the first rows."""
    import numpy as np

    values, first, counts = np.unique(block.values, return_index=True, return_counts=True)
    there = ~np.isnan(values)
    if not there.any():
        return 0.0, [0] * len(sizes)
    values, first, counts = values[there], np.sort(first[there]), counts[there]
    top = int(counts.argmax())
    share = float(counts[top]) / len(block.values)
    rise = share - shares.get(block.said(values[top]), 0.0)
    return rise, np.searchsorted(first, sizes).tolist()


def sizes_up_to(rows: int) -> list[int]:
    """Return the numbers of rows at which distinct values are counted.

    >>> sizes_up_to(300)
    [64, 128, 256]
    """
    return [2**power for power in range(6, max(rows, 1).bit_length()) if 2**power <= rows]


def usual_of(values: Iterable[float]) -> Usual:
    """Return mean and population standard deviation.

    >>> usual_of([1.0, 3.0])
    Usual(mean=2.0, sd=1.0)
    """
    found = list(values)
    mean = math.fsum(found) / len(found)
    return Usual(mean=mean, sd=math.sqrt(math.fsum((x - mean) ** 2 for x in found) / len(found)))


def _orders(numbers: dict[str, np.ndarray], blocks: Sequence[slice]) -> Iterable[OrderReference]:
    import numpy as np

    starts = [block.start for block in blocks]
    there = {name: ~np.isnan(values) for name, values in numbers.items()}
    for first, second in itertools.combinations(numbers, 2):
        lower = np.add.reduceat(numbers[first] < numbers[second], starts, dtype=np.int64)
        both = np.add.reduceat(there[first] & there[second], starts, dtype=np.int64)
        total = int(both.sum())
        share = int(lower.sum()) / total if total else 0.5
        if 1 - _CLEAR_ORDER < share < _CLEAR_ORDER:
            continue
        away = np.abs(lower[both > 0] / both[both > 0] - share)
        yield OrderReference(first=first, second=second, share=share, usual=usual_of(away.tolist()))


def below(first: np.ndarray, second: np.ndarray, rows: slice) -> tuple[float, int]:
    """Return the share of rows with first < second, and how many rows have both; NaN of none."""
    import numpy as np

    a, b = first[rows], second[rows]
    both = int(np.count_nonzero(~(np.isnan(a) | np.isnan(b))))
    return (float(np.count_nonzero(a < b)) / both if both else math.nan), both
