"""How surprising the difference of two arms is, at whatever instant somebody looks.

A key falls to the candidate or to the baseline by a coin that the plan throws (`plan.bucket_of`).
Whatever a request meets, the coin knew nothing of it: were both arms alike, then of the requests
that fail, of those that are slow, of those whose score lies between two edges, each would be the
candidate's with the coin's own chance. What is computed here is a bet against that, which starts
with one unit and is fair while the arms are alike; the evidence is what the bet has grown to.
By Ville's inequality (1939) it ever reaches 1/alpha with a chance of alpha at most, so one may
look every second and stop when one likes.

Sources: Ville (1939); Wald (1945) on ratios of likelihoods; Robbins (1970) on mixtures of them;
Lindon and Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022); Ramdas,
Grünwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference" (2023).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 100.0)
"""How many times as often as in the baseline something may befall the candidate: the bet is spread
evenly over these. Each costs one sixth, which three failures more make good."""

SPREAD = 10.0
"""Weight, in rows, of the guess that a bin is shared as the coin says: of 2 to 80 that were tried
it finds a shift by half a standard deviation with the fewest rows, and by a whole one with few
more than the fewest (decision 020)."""


def log_more(candidate: int, baseline: int, chance: float = 0.5) -> float:
    """Return the logarithm of the evidence that something befalls the candidate more often.

    `candidate` and `baseline` count what befell each arm; `chance` is the coin's for the candidate,
    its share of the traffic of both. Valid also when it befalls the candidate less often.

    >>> round(math.exp(log_more(12, 0)), 1)
    928.3
    >>> log_more(0, 0)
    0.0
    """
    logs = []
    for ratio in RATIOS:
        odds = ratio * chance + 1 - chance
        logs.append(candidate * math.log(ratio) - (candidate + baseline) * math.log(odds))
    return _log_mean(logs)


def log_differs(candidate: Sequence[int], baseline: Sequence[int], chance: float = 0.5) -> float:
    """Return the logarithm of the evidence that two arms are spread differently over bins.

    A bet on each bin's share, Beta distributed about the coin's chance, multiplied over the bins:
    it holds whatever the bins are, as long as they were chosen without looking at who got which.

    >>> log_differs([10, 10], [10, 10]) < 0 < log_differs([20, 0], [0, 20])
    True
    """
    prior = (SPREAD * chance, SPREAD * (1 - chance))
    return math.fsum(
        _log_beta(prior[0] + new, prior[1] + old)
        - _log_beta(*prior)
        - new * math.log(chance)
        - old * math.log(1 - chance)
        for new, old in zip(candidate, baseline, strict=True)
    )


def log_above(events: int, rows: int, limit: float) -> float:
    """Return the logarithm of the evidence that a share is not at most half of `limit`.

    The bet is spread over the limit, half of what is above it, and nearly all rows: four failures
    in the first four requests are enough to be sure of more than a tenth.

    >>> round(math.exp(log_above(4, 4, 0.2)))
    3268
    """
    calm = max(limit / 2, _LEAST_SHARE)
    alike = events * math.log(calm) + (rows - events) * math.log(1 - calm)
    rates = (max(limit, 2 * _LEAST_SHARE), (1 + limit) / 2, (19 + limit) / 20)
    return _log_mean(
        [events * math.log(rate) + (rows - events) * math.log1p(-rate) - alike for rate in rates]
    )


_LEAST_SHARE = 1e-4
"""A limit of nothing at all is judged as if it were this, which no bet can be lost on."""


def _log_mean(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + math.log(math.fsum(math.exp(each - top) for each in logs) / len(logs))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
