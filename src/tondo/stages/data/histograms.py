"""Histograms side by side: both cut at the bounds of either, in exact fractions.

Mass is spread evenly within a bucket. A bucket of no width is a point mass, which meets only the
same point; a bucket with an infinite bound is loose mass, which meets nothing.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.data.statistics import ColumnStatistics

Exact = int | Fraction
# Above it log1p keeps the digits that log2 of a ratio near 1 would lose.
_NEAR = -0.5


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Buckets of numbers, and how many values are NaN."""

    buckets: tuple[tuple[float, float, int], ...] = ()
    """Low, high, count."""
    nan: int = 0

    @property
    def total(self) -> int:
        """Values in buckets."""
        return sum(count for _, _, count in self.buckets)


class _Part(NamedTuple):
    """What both histograms have in one stretch, or at one point."""

    low: float
    high: float
    first: Fraction
    second: Fraction

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


class _Cut(NamedTuple):
    """Two histograms over the same parts, and the loose mass of each."""

    parts: list[_Part]
    loose: tuple[Fraction, Fraction]


def histogram_of(column: ColumnStatistics) -> Histogram:
    """Return a numeric column's histogram; infinite values are a bucket with an infinite bound."""
    infinite = ((-math.inf, math.inf, column.infinite),) if column.infinite else ()
    return Histogram(buckets=(*column.histogram, *infinite), nan=column.nan)


def kolmogorov(a: Histogram, b: Histogram) -> tuple[float, str]:
    """Return the greatest difference of the two distribution functions, and where it is.

    Looked at before and after every bucket bound of either histogram. Loose mass is compared by its
    share. NaN is missing here.

    >>> evenly = Histogram(buckets=((0.0, 2.0, 2), (2.0, 4.0, 2)))
    >>> low = Histogram(buckets=((0.0, 1.0, 3), (1.0, 4.0, 1)))
    >>> kolmogorov(evenly, low)
    (0.5, '1')
    """
    cut = _cut(a, b)
    whole = Fraction(a.total or 1), Fraction(b.total or 1)
    loose = abs(cut.loose[0] / whole[0] - cut.loose[1] / whole[1])
    most, where = loose, "infinite" if loose else ""
    first = second = Fraction(0)
    for part in cut.parts:
        first += part.first / whole[0]
        second += part.second / whole[1]
        if abs(first - second) > most:
            most, where = abs(first - second), f"{part.high:g}"
    return float(most), where


def normalized_difference_histograms(a: Histogram, b: Histogram) -> tuple[float, str]:
    """Return the greatest difference of counts in one part, divided by both totals, and the part.

    >>> few, many = (Histogram(buckets=((0.0, 1.0, n), (1.0, 2.0, 5 * n))) for n in (1, 10))
    >>> normalized_difference_histograms(few, many)[1]
    '1 to 2'
    """
    cut = _cut(a, b)
    total = a.total + b.total
    if total == 0:
        return 0.0, ""
    most, where = abs(cut.loose[0] - cut.loose[1]), "infinite"
    for part in cut.parts:
        if abs(part.first - part.second) > most:
            most, where = abs(part.first - part.second), str(part)
    return float(most / total), where if most else ""


def jensen_shannon_histograms(a: Histogram, b: Histogram) -> float:
    """Return the Jensen-Shannon divergence, base 2, of two histograms: 0 to 1.

    NaN never meets NaN, and infinite never infinite: such mass counts in full even when both sides
    have it. One side without values is at 1 from a side with some.

    >>> a = Histogram(buckets=((1.0, 2.0, 2), (2.0, 3.0, 2)))
    >>> b = Histogram(buckets=((2.0, 4.0, 2), (4.0, 6.0, 2)))
    >>> round(jensen_shannon_histograms(a, b), 6)
    0.655639
    """
    first, second = a.total + a.nan, b.total + b.nan
    if not first or not second:
        return 0.0 if first == second else 1.0
    cut = _cut(a, b)
    alone = (cut.loose[0] + a.nan) / first + (cut.loose[1] + b.nan) / second
    pairs = ((part.first / first, part.second / second) for part in cut.parts)
    return divergence(pairs, alone=alone)


def divergence(
    pairs: Iterable[tuple[Exact, Exact]], *, alone: Exact = 0, whole: Exact = 1
) -> float:
    """Return the Jensen-Shannon divergence of pairs of masses of `whole`; `alone` meets nothing.

    That is added exactly, so that two disjoint sides are at 1 and equal ones at 0.
    """
    terms = []
    for p, q in pairs:
        if p and q:
            terms += [_term(p, q, whole), _term(q, p, whole)]
        else:
            alone += p + q
    return min(max((math.fsum(terms) + float(alone / whole)) / 2, 0.0), 1.0)


def _term(mass: Exact, other: Exact, whole: Exact) -> float:
    """Return share * log2(share / mean share), each quotient rounded once."""
    share, skew = float(mass / whole), float((mass - other) / (mass + other))
    if skew > _NEAR:
        return share * math.log1p(skew) / math.log(2)
    ratio = float(2 * mass / (mass + other))
    # A ratio too small for a double leaves a term too small to count.
    return share * math.log2(ratio) if ratio else 0.0


def _cut(a: Histogram, b: Histogram) -> _Cut:
    solid = [[each for each in side.buckets if _finite(each)] for side in (a, b)]
    edges = sorted({bound for side in solid for low, high, _ in side for bound in (low, high)})
    spread = [_spread(side, edges) for side in solid]
    points = [_points(side) for side in solid]
    none = Fraction(0)
    parts = []
    for at, edge in enumerate(edges):
        if edge in points[0] or edge in points[1]:
            parts.append(_Part(edge, edge, points[0].get(edge, none), points[1].get(edge, none)))
        if at + 1 < len(edges):
            parts.append(_Part(edge, edges[at + 1], spread[0][at], spread[1][at]))
    loose = [
        sum((Fraction(each[2]) for each in side.buckets if not _finite(each)), none)
        for side in (a, b)
    ]
    return _Cut(parts, (loose[0], loose[1]))


def _finite(bucket: tuple[float, float, int]) -> bool:
    return math.isfinite(bucket[0]) and math.isfinite(bucket[1])


def _spread(buckets: list[tuple[float, float, int]], edges: list[float]) -> list[Fraction]:
    """Return the mass between each two neighbouring edges."""
    exact = {edge: Fraction(edge) for edge in edges}
    place = {edge: at for at, edge in enumerate(edges)}
    found = [Fraction(0)] * len(edges)
    for low, high, count in buckets:
        if low == high or not count:
            continue
        density = count / (exact[high] - exact[low])
        for at in range(place[low], place[high]):
            found[at] += density * (exact[edges[at + 1]] - exact[edges[at]])
    return found


def _points(buckets: list[tuple[float, float, int]]) -> dict[float, Fraction]:
    found: dict[float, Fraction] = {}
    for low, high, count in buckets:
        if low == high:
            found[low] = found.get(low, Fraction(0)) + count
    return found
