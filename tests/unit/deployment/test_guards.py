from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tondo.stages.deployment.guards import (
    Guards,
    error_share,
    hard_error_share,
    hard_null_share,
    latency_p99,
    null_share,
    score_psi,
    score_shift,
    surprise,
)
from tondo.stages.deployment.measure import ArmRows, measure


def rows(count=2_000, *, shift=0.0, failed=0, nulls=0, slower_us=0, seed=0):
    generator = np.random.default_rng(seed)
    scores = generator.normal(0.3 + shift * 0.1, 0.1, count)
    scores[:nulls] = np.nan
    broken = np.zeros(count, dtype=bool)
    broken[count - failed :] = failed > 0
    latencies = generator.lognormal(5, 0.5, count) + slower_us
    return ArmRows(scores=scores, failed=broken, latencies_us=latencies)


def judge(guard, candidate, current=None):
    current = current if current is not None else rows(seed=1)
    return guard(Guards(), measure(current, candidate, guards=Guards(), at_us=0)).status


@pytest.mark.parametrize("counts", [(3, 3, 0, 3), (5, 200, 2, 20_000), (40, 200, 20, 2_000)])
def test_surprise_is_the_one_sided_exact_test_of_fisher(counts):
    more, of_rows, fewer, others = counts
    table = [[more, of_rows - more], [fewer, others - fewer]]
    expected = stats.fisher_exact(table, alternative="greater").pvalue
    assert surprise(*counts) == pytest.approx(expected, rel=1e-9)


def test_a_fifth_of_failures_in_two_hundred_rows_is_violated():
    assert judge(error_share, rows(200, failed=40)) == "violated"


def test_a_third_more_failures_in_a_handful_of_rows_may_be_chance():
    assert judge(error_share, rows(3, failed=1)) == "unmet"


def test_an_arm_that_fails_by_itself_is_stopped_whatever_the_other_does():
    broken = rows(200, failed=150, seed=2)
    assert judge(hard_error_share, rows(200, failed=150), broken) == "violated"


@pytest.mark.parametrize("guard", [null_share, hard_null_share])
def test_null_answers_are_violated(guard):
    assert judge(guard, rows(200, nulls=60)) == "violated"


def test_a_tenth_of_a_second_more_is_violated_within_two_hundred_requests():
    assert judge(latency_p99, rows(200, slower_us=100_000)) == "violated"


def test_microseconds_more_are_met_because_nobody_waits_for_them():
    assert judge(latency_p99, rows(200, slower_us=1_000)) == "met"


def test_a_score_shift_of_one_standard_deviation_is_violated_within_two_hundred_rows():
    assert judge(score_shift, rows(200, shift=1.0)) == "violated"


def test_a_season_of_half_a_standard_deviation_is_met():
    assert judge(score_shift, rows(2_000, shift=0.5)) == "met"


def test_constant_scores_are_violated_by_their_distribution():
    constant = ArmRows(
        scores=np.full(200, 0.3), failed=np.zeros(200, dtype=bool), latencies_us=np.ones(200)
    )
    assert judge(score_psi, constant) == "violated"
    assert judge(score_shift, constant) == "met"


@pytest.mark.parametrize(
    "guard",
    [
        error_share,
        hard_error_share,
        null_share,
        hard_null_share,
        latency_p99,
        score_shift,
        score_psi,
    ],
)
def test_no_data_is_unmet(guard):
    assert judge(guard, rows(0)) == "unmet"
