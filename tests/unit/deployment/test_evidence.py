from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from tondo.stages.deployment import evidence
from tondo.stages.deployment.evidence import log_above, log_differs, log_more
from tondo.stages.deployment.guards import Coin, Guards
from tondo.stages.deployment.power import requests_for_rate, requests_for_shift


@pytest.mark.parametrize("chance", [0.5, 0.1, 0.9])
@pytest.mark.parametrize("counts", [(0, 0), (3, 5), (40, 11), (0, 30)])
def test_the_evidence_of_more_is_the_mean_of_ratios_of_likelihoods(counts, chance):
    candidate, baseline = counts
    alike = stats.binom.pmf(candidate, candidate + baseline, chance)
    ratios = [
        stats.binom.pmf(
            candidate, candidate + baseline, ratio * chance / (ratio * chance + 1 - chance)
        )
        for ratio in evidence.RATIOS
    ]
    assert math.exp(log_more(*counts, chance)) == pytest.approx(np.mean(ratios) / alike)


@pytest.mark.parametrize("chance", [0.5, 0.3])
def test_the_evidence_of_a_difference_is_the_integral_over_its_bets(chance):
    new, old = 9, 4
    law = stats.beta(evidence.SPREAD * chance, evidence.SPREAD * (1 - chance))
    marginal, _ = integrate.quad(lambda t: stats.binom.pmf(new, new + old, t) * law.pdf(t), 0, 1)
    alike = stats.binom.pmf(new, new + old, chance)
    assert math.exp(log_differs([new], [old], chance)) == pytest.approx(marginal / alike)


def expected(log_evidence, chance, after):
    """The mean of a bet after a coin of `chance` was thrown, over all its outcomes."""
    return sum(
        stats.binom.pmf(heads, after, chance) * math.exp(log_evidence(heads, after - heads))
        for heads in range(after + 1)
    )


@pytest.mark.parametrize("after", [1, 7, 60])
@pytest.mark.parametrize("chance", [0.5, 0.05])
def test_a_bet_against_arms_that_are_alike_is_fair(chance, after):
    bets = [
        lambda new, old: log_more(new, old, chance),
        lambda new, old: log_differs([new], [old], chance),
        lambda new, old: log_above(new, new + old, 2 * chance) if chance == 0.05 else 0.0,
    ]
    assert [expected(bet, chance, after) for bet in bets] == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("chance", [0.3, 0.45])
def test_a_bet_on_more_loses_where_there_is_less(chance):
    assert expected(lambda new, old: log_more(new, old, 0.5), chance, 50) < 1


def test_the_stated_power_is_reached_by_rollouts_looked_at_every_second():
    coin = Coin(steps=4)
    stated = requests_for_rate(0.01, 5.0, coin)
    random = np.random.default_rng(3)
    found = 0
    for _ in range(200):
        new = np.cumsum(random.random(stated) < 0.05)[29::30]
        old = np.cumsum(random.random(stated) < 0.01)[29::30]
        found += any(log_more(*each) >= coin.needed for each in zip(new, old, strict=True))
    assert found >= 170


def test_small_effects_take_long_and_those_within_the_limits_for_ever():
    coin = Coin(steps=4)
    counts = [requests_for_rate(0.01, times, coin) for times in (2.0, 3.0, 5.0, 20.0)]
    assert counts == sorted(counts, reverse=True)
    assert requests_for_shift(0.6, Guards(), coin) is None
