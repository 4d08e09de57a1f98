"""How far a batch is from accepted rows, measure by measure, and how far would still be usual.

A batch has moved in a measure when the effect is larger than a least effect that matters AND larger
than what blocks of the accepted rows show (mean and three standard deviations) AND too large for
its number of rows: a distribution by the chi-square test of homogeneity, adjusted over the columns
by Benjamini and Hochberg (1995, JRSS B 57); a share by its standard error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.scoring.baseline import count_values, psi, psi_noise_floor
from tondo.stages.data.column_numbers import how_to_read, read_column
from tondo.stages.data.homogeneity import benjamini_hochberg, homogeneity_p
from tondo.stages.data.reference_profile import Usual, below, sizes_up_to, times_of, usual_of
from tondo.stages.data.relations import LEAST_SHARE, Rows, broken_relations
from tondo.stages.data.statistics import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from tondo.scoring.baseline import Distribution
    from tondo.stages.data.column_numbers import ColumnNumbers
    from tondo.stages.data.reference_profile import (
        ColumnReference,
        OrderReference,
        ReferenceProfile,
    )
    from tondo.stages.data.relations import Relation

Measure = Literal["moved", "nulls", "far", "flood", "distinct", "order", "relation"]

LEAST_ROWS = 30
"""Batches below are not compared: nearly nothing would be too large for chance."""

_CERTAIN = 0.001
"""Largest adjusted p value that blocks."""
_ERRORS = 3.3
"""Standard errors that a share must be away; 0.1 % of quiet batches are."""
_LEAST = {"moved": 0.5, "nulls": 0.05, "flood": 0.05, "distinct": math.log(2.0), "order": 0.2}
"""Least effects that block: twice the population stability index that is 'do something' in use
(0.25, Siddiqi 2006, Credit Risk Scorecards, 7), since a season alone can reach that; shares; and a
factor of two."""
_CREEP, _CREEP_P = 0.005, 0.01
"""Least effect and adjusted p value of a warning: a shift of 0.07 standard deviations."""
_FEWEST = 3
"""Values far away, or more or fewer distinct ones, that one row of bad luck cannot make."""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one column of a batch."""

    column: str
    measure: Measure
    effect: float
    """`moved`: population stability index above its noise. `nulls`, `flood`, `order`: difference of
    shares beyond its chance. `far`, `relation`: share of rows. `distinct`: log of the ratio."""
    limit: float
    """Largest effect that does not block."""
    warn: float | None = None
    """Largest effect that is not even a warning; None where there is none."""
    certain: bool
    """Whether the effect is too large for the number of rows."""
    found: float
    """The batch's own figure: a share, distinct values among `rows`, the index."""
    expected: float
    """The reference's figure; of `far` the extreme that is passed."""
    rows: int = 0
    """Rows that the figure is of."""
    value: Value | None = None
    """The flooding value, the other column of an order, or a relation's formula."""
    others: tuple[str, ...] = ()
    """The other columns of a relation."""
    repair: str = ""
    """Of a relation, what would make it hold again."""


def movements(table: pa.Table, reference: ReferenceProfile) -> list[Movement]:
    """Return every measure of the columns that both have; none of a batch below 30 rows.

    A column of another type is the schema's matter and left out.
    """
    rows = table.num_rows
    if rows < LEAST_ROWS:
        return []
    read = {
        name: read_column(table.column(name), before.reads)
        for name, before in reference.columns.items()
        if name in table.column_names and how_to_read(table.column(name).type) == before.reads
    }
    if not read:
        return []
    blocks = _joined_blocks(rows, reference)
    windows = {name: _counted(each, reference.columns[name]) for name, each in read.items()}
    p_values = [homogeneity_p(reference.columns[name].bins, windows[name]) for name in read]
    found: list[Movement] = []
    for (name, each), p_value in zip(read.items(), benjamini_hochberg(p_values), strict=True):
        before, window = reference.columns[name], windows[name]
        if not before.tells_time:
            found.append(_moved(name, before.bins, window, before.moves[blocks], p_value))
            found += _flood(name, each, before)
            found += _distinct(name, each, before)
        found.append(_nulls(name, before.bins, window, before.null_rises[blocks]))
        found += _far(name, each, before)
    elsewhere = {name for name in read if reference.columns[name].tells_time}
    found += _orders(read, reference.orders, elsewhere)
    return found + list(_relations(read, table, reference.relations))


def _counted(read: ColumnNumbers, before: ColumnReference) -> Distribution:
    return count_values(before.bins, read.placed_among(before.labels))


def _joined_blocks(rows: int, profile: ReferenceProfile) -> str:
    """Return how many blocks of the reference are about as many rows, as the profile counts."""
    sizes = next(iter(profile.columns.values())).moves
    wanted = math.log2(max(rows / profile.block_rows, 1.0))
    return min(sizes, key=lambda size: abs(math.log2(int(size)) - wanted))


def _moved(
    name: str, before: Distribution, window: Distribution, usual: Usual, p_value: float
) -> Movement:
    index = psi(before, window)
    effect = index - psi_noise_floor(before, window)
    creep = max(_CREEP, usual.limit())
    return Movement(
        column=name,
        measure="moved",
        effect=effect,
        limit=max(_LEAST["moved"], usual.limit()),
        warn=creep if p_value < _CREEP_P else None,
        certain=p_value < _CERTAIN,
        found=index,
        expected=usual.mean,
        rows=window.total,
    )


def _nulls(name: str, before: Distribution, window: Distribution, usual: Usual) -> Movement:
    return _share(
        name,
        "nulls",
        found=(window.null_share, window.total),
        expected=(before.null_share, before.total),
        limit=max(_LEAST["nulls"], usual.limit()),
    )


def _flood(name: str, read: ColumnNumbers, before: ColumnReference) -> Iterator[Movement]:
    """Yield how much more frequent the batch's most frequent value is than it was."""
    top = read.common(1)
    if not top:
        return
    value, found = top[0]
    rows, total = len(read.values), before.bins.total
    yield _share(
        name,
        "flood",
        found=(found, rows),
        expected=(dict(before.common).get(value, 0.0), total),
        limit=max(_LEAST["flood"], before.rise.limit()),
        value=value,
    )


def _far(name: str, read: ColumnNumbers, before: ColumnReference) -> Iterator[Movement]:
    """Yield how many values lie further beyond the extremes than the extremes are apart.

    A number that tells the time goes on growing: ten times as far is allowed for it.
    """
    import numpy as np

    if not read.is_numeric or before.lowest is None or before.highest is None:
        return
    span = (before.highest - before.lowest) * (10 if before.tells_time else 1)
    # Of a constant the size itself is the only scale that there is.
    span = span or max(abs(before.highest), 1.0)
    away = (read.values > before.highest + span) | (read.values < before.lowest - span)
    count, rows = int(np.count_nonzero(away)), len(read.values)
    example = float(read.values[away][0]) if count else None
    nearest = before.lowest if example is not None and example < before.lowest else before.highest
    yield Movement(
        column=name,
        measure="far",
        effect=count / rows,
        limit=0.0,
        certain=count >= _FEWEST,
        found=count / rows,
        expected=nearest,
        rows=rows,
        value=example,
    )


def _distinct(name: str, read: ColumnNumbers, before: ColumnReference) -> Iterator[Movement]:
    """Yield by which factor more or fewer distinct values there are among as many rows."""
    sizes = [size for size in sizes_up_to(len(read.values)) if str(size) in before.distinct]
    if not sizes:
        return
    size = sizes[-1]
    usual = before.distinct[str(size)]
    starts = range(0, len(read.values) - size + 1, size)
    found = usual_of(read.part(slice(at, at + size)).distinct() for at in starts).mean
    # Half a value keeps an empty column finite.
    ratio = (found + 0.5) / (usual.mean + 0.5)
    spread = 3 * usual.sd / (usual.mean + 0.5)
    yield Movement(
        column=name,
        measure="distinct",
        effect=abs(math.log(ratio)),
        limit=max(_LEAST["distinct"], math.log1p(spread)),
        certain=abs(found - usual.mean) >= _FEWEST,
        found=found,
        expected=usual.mean,
        rows=size,
    )


def _orders(
    read: dict[str, ColumnNumbers], orders: Iterable[OrderReference], elsewhere: set[str]
) -> Iterator[Movement]:
    for each in orders:
        names = {each.first, each.second}
        if names & elsewhere or not names <= read.keys():
            continue
        share, both = below(read[each.first].values, read[each.second].values, slice(None))
        if both < LEAST_ROWS:
            continue
        yield _share(
            each.first,
            "order",
            found=(share, both),
            expected=(each.share, 0),
            limit=max(_LEAST["order"], each.usual.limit()),
            value=each.second,
        )


def _relations(
    read: dict[str, ColumnNumbers], table: pa.Table, relations: tuple[Relation, ...]
) -> Iterator[Movement]:
    names = {name for each in relations for name in each.columns}
    columns = {name: read[name] for name in names if name in read}
    for each in broken_relations(Rows(columns, times_of(table, columns)), relations):
        yield Movement(
            column=each.column,
            measure="relation",
            effect=each.share,
            limit=LEAST_SHARE,
            certain=each.certain,
            found=each.share,
            expected=0.0,
            rows=each.rows,
            value=each.relation.formula,
            others=tuple(name for name in each.relation.columns if name != each.column),
            repair=each.repair,
        )


def _share(
    name: str,
    measure: Measure,
    *,
    found: tuple[float, int],
    expected: tuple[float, int],
    limit: float,
    value: Value | None = None,
) -> Movement:
    """Return a difference of shares less what chance makes of it; nulls and floods only rise."""
    difference = found[0] - expected[0]
    away = abs(difference) if measure == "order" else difference
    error = math.sqrt(sum(p * (1 - p) / n for p, n in (found, expected) if n))
    return Movement(
        column=name,
        measure=measure,
        effect=max(away - _ERRORS * error, 0.0),
        limit=limit,
        certain=away > _ERRORS * error,
        found=found[0],
        expected=expected[0],
        rows=found[1],
        value=value,
    )
