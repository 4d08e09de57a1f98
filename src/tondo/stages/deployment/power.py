"""How many requests a guard needs before it stops a candidate that is so much worse."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

from tondo.scoring.baseline import BINS
from tondo.stages.deployment.evidence import log_above, log_differs, log_more
from tondo.stages.deployment.guards import (
    FALSE_HARD_STOPS,
    SHIFT_SIGMAS,
    TOLERATED_SHIFT,
    Coin,
)
from tondo.stages.deployment.status import Detects

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.stages.deployment.guards import Guards

MOST_REQUESTS = 10_000_000
"""What needs more than that is not found in a rollout."""


def requests_for_rate(base: float, times: float, coin: Coin, *, power: float = 0.9) -> int | None:
    """Return the candidate's requests after which a rate `times` as high is found.

    `base` is the baseline's share, `power` the chance of having stopped by then, from Poisson
    counts at that one look; the looks before only add to it. None when it takes too many.

    >>> requests_for_rate(0.01, 5.0, Coin(steps=4))
    1005
    """

    def enough(requests: int) -> bool:
        others = requests * (1 - coin.chance) / coin.chance
        return _chance_found(requests * base * times, others * base, coin) >= power

    return _least(enough)


def requests_for_shift(shift: float, guards: Guards, coin: Coin) -> int | None:
    """Return the candidate's rows after which a shift of normal scores is typically found.

    `shift` is in standard deviations, above the limit. Typically: the counts being as expected.

    >>> from tondo.stages.deployment.guards import Guards
    >>> requests_for_shift(1.0, Guards(), Coin(steps=4))
    99
    """
    if shift <= guards.score_shift:
        return None
    new, old = NormalDist(shift / 2), NormalDist(-shift / 2)
    edges = _middle_edges(new, old)
    of_new, of_old = _cells(new, edges), _cells(old, edges)
    clear = shift - TOLERATED_SHIFT * guards.score_shift
    odds = (1 - coin.chance) / coin.chance

    def enough(rows: int) -> bool:
        if clear <= SHIFT_SIGMAS * math.sqrt(1 / rows + 1 / (rows * odds)):
            return False
        candidate = [round(rows * each) for each in of_new]
        baseline = [round(rows * odds * each) for each in of_old]
        return log_differs(candidate, baseline, coin.chance) >= coin.needed

    return _least(enough)


def _least(enough: Callable[[int], bool]) -> int | None:
    high = 1
    while not enough(high):
        high *= 2
        if high > MOST_REQUESTS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _chance_found(candidate: float, baseline: float, coin: Coin) -> float:
    """Return the chance that Poisson counts with these means are evidence enough."""
    found, least = 0.0, 0
    for fewer in range(int(baseline + 8 * math.sqrt(baseline) + 10)):
        while log_more(least, fewer, coin.chance) < coin.needed:
            least += 1
        found += _poisson(fewer, baseline) * _poisson_at_least(least, candidate)
    return found


def _poisson(count: int, mean: float) -> float:
    if mean <= 0:
        return 1.0 if count == 0 else 0.0
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def _poisson_at_least(count: int, mean: float) -> float:
    top = int(mean + 10 * math.sqrt(mean) + 20)
    return math.fsum(_poisson(each, mean) for each in range(count, max(count, top) + 1))


def _middle_edges(new: NormalDist, old: NormalDist) -> list[float]:
    """Return the edges of bins that hold equally much of both together."""
    edges = []
    for at in range(1, BINS):
        low, high = -10.0, 10.0
        for _ in range(50):
            middle = (low + high) / 2
            below = (new.cdf(middle) + old.cdf(middle)) / 2 < at / BINS
            low, high = (middle, high) if below else (low, middle)
        edges.append(high)
    return edges


def _cells(law: NormalDist, edges: list[float]) -> list[float]:
    ends = [0.0, *(law.cdf(edge) for edge in edges), 1.0]
    return [after - before for before, after in pairwise(ends)]


def detects(guards: Guards, coin: Coin | None) -> tuple[Detects, ...]:
    """Return what the guards of a step find, and after how many requests of the candidate.

    `coin` is None where there is nobody to compare with.
    """
    found = [Detects(fault="every request fails", requests=requests_for_failing(guards))]
    if coin is None:
        return tuple(found)
    rates = (
        ("20 % of requests fail, of the baseline's none", 0.0005, 400.0),
        ("five times the errors, from 1 % to 5 %", 0.01, 5.0),
        ("three times the errors, from 1 % to 3.1 %", 0.01, 3.1),
    )
    found += [
        Detects(fault=fault, requests=requests_for_rate(base, times, coin))
        for fault, base, times in rates
        if base * (times - 1) > guards.error_share
    ]
    found.append(
        Detects(
            fault="scores move by one standard deviation",
            requests=requests_for_shift(1.0, guards, coin),
        )
    )
    return tuple(found)


def requests_for_failing(guards: Guards) -> int | None:
    """Return the requests after which a candidate that always fails is found.

    >>> from tondo.stages.deployment.guards import Guards
    >>> requests_for_failing(Guards())
    4
    """
    limit = guards.hard_error_share
    if limit >= 1:
        return None
    return _least(lambda rows: log_above(rows, rows, limit) >= -math.log(FALSE_HARD_STOPS))
