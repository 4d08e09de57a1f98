from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tondo.stages.evaluation.compare import paired
from tondo.stages.evaluation.metrics import brier, log_loss


def rows(count=500, seed=1):
    draw = np.random.default_rng(seed)
    label = draw.random(count) < 0.3
    base = draw.normal(size=count) + label
    one, two = (1 / (1 + np.exp(-(base + draw.normal(0, s, count)))) for s in (0.2, 0.8))
    return one, two, label


def test_the_loss_differences_are_those_of_the_means():
    one, two, label = rows()
    found = paired(one, two, label).differences
    for name, metric in (("log_loss", log_loss), ("brier", brier)):
        gain = metric(two, label) - metric(one, label)
        assert found[name].improvement.value == pytest.approx(gain, abs=1e-12)


def test_the_brier_interval_is_that_of_a_paired_test():
    one, two, label = rows()
    test = stats.ttest_rel((two - label) ** 2, (one - label) ** 2)
    improvement = paired(one, two, label).differences["brier"].improvement
    assert improvement.value / improvement.standard_error == pytest.approx(test.statistic, rel=1e-9)


def test_the_better_model_is_told():
    one, two, label = rows(5000)
    assert paired(one, two, label).differences["auc"].improvement.low > 0


def test_rows_of_one_class_have_no_auc_to_compare():
    one, two, _ = rows()
    found = paired(one, two, np.zeros(500, bool)).differences
    assert set(found) == {"log_loss", "brier"}


def test_no_rows_compare_nothing():
    assert paired([], [], []).differences == {}


def test_a_comparison_shows_each_improvement():
    assert repr(paired(*rows())).startswith("PairedComparison(rows=500, auc +")
