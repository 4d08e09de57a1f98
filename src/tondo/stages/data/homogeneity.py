"""Whether two counts over the same bins come from one distribution, and for many columns at once.

Significance alone is no reason to alarm: with 100,000 rows a shift of 0.02 standard deviations is
significant in 97 % of windows. Who calls these asks for an effect besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring.baseline import used_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.scoring.baseline import Distribution


def homogeneity_p(reference: Distribution, window: Distribution) -> float:
    """Return the p value of the chi-square test that both sides have one distribution.

    Bins in which fewer than five rows of the window are expected are tested as one, because the
    chi-square law does not hold for them (Cochran 1954). 1 when there is nothing to compare.
    """
    from scipy.special import chdtrc

    before, after = _dense_cells(*used_cells(reference, window))
    n, m = sum(before), sum(after)
    degrees = len(before) - 1
    if n == 0 or m == 0 or degrees < 1:
        return 1.0
    statistic = sum(
        (a * (m / n) ** 0.5 - b * (n / m) ** 0.5) ** 2 / (a + b)
        for a, b in zip(before, after, strict=True)
    )
    # What scipy.stats calls for this law; importing that would cost a second.
    return float(chdtrc(degrees, statistic))


def _dense_cells(before: list[int], after: list[int]) -> tuple[list[int], list[int]]:
    n, m = sum(before), sum(after)
    if n == 0 or m == 0:
        return before, after
    least = min(n, m) / (n + m)
    dense = [(a, b) for a, b in zip(before, after, strict=True) if (a + b) * least >= 5]
    rest_a, rest_b = n - sum(a for a, _ in dense), m - sum(b for _, b in dense)
    if rest_a + rest_b:
        dense.append((rest_a, rest_b))
    return [a for a, _ in dense], [b for _, b in dense]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p values, which hold the share of false discoveries.

    >>> benjamini_hochberg([0.01, 0.02, 0.5])
    [0.03, 0.03, 0.5]
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [1.0] * len(p_values)
    smallest = 1.0
    for rank in range(len(order), 0, -1):
        place = order[rank - 1]
        smallest = min(smallest, p_values[place] * len(order) / rank)
        adjusted[place] = smallest
    return adjusted
