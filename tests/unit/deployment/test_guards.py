from __future__ import annotations

import numpy as np
import pytest

from rollout_arms import Arm, measured, with_losses
from tondo.stages.deployment.guards import (
    COMPARING,
    HARD,
    Coin,
    Guards,
    error_share,
    hard_error_share,
    hard_null_share,
    hard_slow_share,
    latency_p50,
    latency_p99,
    loss,
    missing_share,
    null_share,
    score_psi,
    score_shift,
)

COIN = Coin(steps=4)


def judge(guard, candidate, baseline=None):
    found = measured(baseline or Arm(2_000, seed=1), candidate)
    if guard in HARD:
        return guard(Guards(), found).status
    return guard(Guards(), found, COIN).status


@pytest.mark.parametrize(
    ("guard", "changes"),
    [
        (error_share, {"failed": 0.2}),
        (null_share, {"nulls": 0.2}),
        (hard_error_share, {"failed": 0.6}),
        (hard_null_share, {"nulls": 0.6}),
        (hard_slow_share, {"slower_us": 1_500_000}),
        (latency_p50, {"slower_us": 100_000}),
        (latency_p99, {"slower_us": 100_000}),
        (score_shift, {"shift": 1.0}),
        (score_psi, {"spread": 0.0}),
    ],
)
def test_a_bad_candidate_is_found_within_two_hundred_requests(guard, changes):
    assert judge(guard, Arm(200, seed=2, **changes), Arm(200, seed=1)) == "violated"


def test_a_third_of_failures_in_a_handful_of_requests_may_be_chance():
    assert judge(error_share, Arm(3, seed=4, failed=0.5), Arm(3, seed=5)) == "unmet"


def test_an_arm_that_fails_by_itself_is_stopped_whatever_the_other_does():
    broken = Arm(200, seed=3, failed=0.7)
    assert judge(hard_error_share, Arm(200, seed=2, failed=0.7), broken) == "violated"
    assert judge(error_share, Arm(200, seed=2, failed=0.7), broken) != "violated"


def test_four_failures_at_once_are_enough_and_three_are_not():
    assert judge(hard_error_share, Arm(4, seed=2, failed=1.0)) == "violated"
    assert judge(hard_error_share, Arm(3, seed=2, failed=1.0)) == "unmet"


def test_microseconds_more_are_met_because_nobody_waits_for_them():
    assert judge(latency_p99, Arm(200, seed=2, slower_us=1_000), Arm(200, seed=1)) == "met"


def test_a_season_of_half_a_standard_deviation_is_met():
    assert judge(score_shift, Arm(2_000, seed=2, shift=0.5)) == "met"


def test_scores_that_collapsed_keep_their_mean_and_lose_their_distribution():
    assert judge(score_shift, Arm(2_000, seed=2, spread=0.0)) == "met"


@pytest.mark.parametrize("guard", [*HARD, *COMPARING])
def test_no_data_is_unmet(guard):
    assert judge(guard, Arm(0, seed=2), Arm(0, seed=1)) == "unmet"


def test_a_limit_of_all_requests_is_never_broken():
    found = measured(Arm(50, seed=1), Arm(50, seed=2, failed=1.0))
    assert hard_error_share(Guards(hard_error_share=1.0), found).status == "met"


def test_a_condition_tells_how_much_chance_explains():
    found = error_share(Guards(), measured(Arm(400, seed=1), Arm(400, seed=2, failed=0.2)), COIN)
    assert found.chance < 1e-6
    assert repr(found).startswith("error_share violated: 0.2")


@pytest.mark.parametrize(
    ("worse", "count", "status"),
    [(0.10, 2_000, "violated"), (0.0, 2_000, "met"), (0.10, 60, "unmet")],
)
def test_losses_are_compared_where_outcomes_have_come(worse, count, status):
    random = np.random.default_rng(5)
    losses = [random.beta(2, 6, count), np.minimum(random.beta(2, 6, count) + worse, 1)]
    found = with_losses(measured(Arm(200, seed=1), Arm(200, seed=2)), *losses)
    assert loss(Guards(loss=0.05), found, COIN).status == status


@pytest.mark.parametrize(
    ("answered", "status"), [(100, "violated"), (170, "unmet"), (195, "met"), (260, "met")]
)
def test_answers_that_a_candidate_owes_are_missed(answered, status):
    assert judge(missing_share, Arm(answered, seed=2), Arm(200, seed=1)) == status
