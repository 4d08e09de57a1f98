from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from tondo.core.errors import DataError
from tondo.stages.evaluation.delong import auc, auc_difference, auc_interval


def sample(rows, seed, shift=1.0, decimals=None):
    draw = np.random.default_rng(seed)
    label = draw.random(rows) < 0.3
    scores = 1 / (1 + np.exp(-(draw.normal(size=rows) + shift * label)))
    return (scores if decimals is None else scores.round(decimals)), label


def slow_variance(scores, label):
    """DeLong's structural components by a loop over all pairs."""
    above, below = scores[label], scores[~label]
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    return wins.mean(1).var(ddof=1) / len(above) + wins.mean(0).var(ddof=1) / len(below)


@pytest.mark.parametrize("decimals", [None, 2, 1])
@pytest.mark.parametrize("seed", range(5))
def test_the_auc_is_scikit_learns(seed, decimals):
    scores, label = sample(500, seed, decimals=decimals)
    assert auc(scores, label) == pytest.approx(roc_auc_score(label, scores), abs=1e-12)


@pytest.mark.parametrize("decimals", [None, 1])
def test_the_variance_is_that_of_all_pairs(decimals):
    scores, label = sample(300, 1, decimals=decimals)
    found = auc_interval(scores, label)
    assert found.standard_error**2 == pytest.approx(slow_variance(scores, label), rel=1e-10)


def test_the_interval_is_near_the_bootstraps():
    scores, label = sample(1500, 2)
    draw = np.random.default_rng(0)
    picks = draw.integers(0, len(label), (400, len(label)))
    spread = np.std([auc(scores[pick], label[pick]) for pick in picks])
    assert auc_interval(scores, label).standard_error == pytest.approx(spread, rel=0.12)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    truth = stats.norm.cdf(1 / np.sqrt(2))
    found = [auc_interval(*sample(250, seed)) for seed in range(600)]
    covered = sum(each.low <= truth <= each.high for each in found) / len(found)
    assert covered == pytest.approx(0.95, abs=0.03)


def test_the_paired_interval_covers_no_difference_as_often_as_it_says():
    def covers(seed):
        draw = np.random.default_rng(seed)
        label = draw.random(250) < 0.3
        shared = draw.normal(size=250) + label
        one, two = (shared + 0.5 * draw.normal(size=250) for _ in range(2))
        found = auc_difference(one, two, label)
        return found.low <= 0 <= found.high

    assert sum(map(covers, range(600))) / 600 == pytest.approx(0.95, abs=0.03)


def test_the_paired_difference_is_the_difference_of_the_areas():
    one, label = sample(400, 3)
    two = one + np.random.default_rng(4).normal(0, 0.2, 400)
    found = auc_difference(one, two, label)
    assert found.value == pytest.approx(auc(one, label) - auc(two, label), abs=1e-12)


def test_models_that_agree_are_told_apart_better_in_pairs():
    one, label = sample(1000, 5)
    two = one + np.random.default_rng(6).normal(0, 0.02, 1000)
    alone = auc_interval(one, label).standard_error
    assert auc_difference(one, two, label).standard_error < alone / 3


def test_a_model_against_itself_has_no_difference():
    scores, label = sample(100, 7)
    found = auc_difference(scores, scores, label)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1], []])
def test_one_class_alone_has_no_auc(label):
    assert auc([0.1, 0.2, 0.3][: len(label)], label) is None
    assert auc_interval([0.1, 0.2, 0.3][: len(label)], label) is None


def test_equal_scores_are_a_coin():
    assert auc([0.5] * 10, [0, 1] * 5) == 0.5


def test_a_higher_confidence_is_a_wider_interval():
    scores, label = sample(200, 8)
    narrow, wide = (auc_interval(scores, label, confidence=level) for level in (0.9, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("scores", "label"),
    [([0.1, 0.2], [1]), ([0.1, np.nan], [1, 0]), ([0.1, 0.2], [1, 2])],
)
def test_unusable_rows_are_refused(scores, label):
    with pytest.raises(DataError, match="TD-EVAL-001"):
        auc(scores, label)


def test_a_hundred_thousand_rows_need_no_pairs():
    scores, label = sample(100_000, 9)
    begun = time.perf_counter()
    auc_interval(scores, label)
    assert time.perf_counter() - begun < 5  # all pairs would need 17 GB
