"""Metrics against scikit-learn on rows that hypothesis grows: ties, extremes, few rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve as oracle_calibration

from tondo.stages.evaluation.calibration import calibration_curve
from tondo.stages.evaluation.compare import paired
from tondo.stages.evaluation.curves import precision_recall_curve, roc_curve
from tondo.stages.evaluation.metrics import binary_metrics

PROBABILITY = st.one_of(
    st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1, allow_subnormal=False)
)


@st.composite
def rows(draw):
    """Scores and labels with both classes among them."""
    pairs = draw(st.lists(st.tuples(PROBABILITY, st.booleans()), min_size=0, max_size=60))
    pairs += [(draw(PROBABILITY), True), (draw(PROBABILITY), False)]
    scores, label = zip(*draw(st.permutations(pairs)), strict=True)
    return np.array(scores), np.array(label)


@given(rows(), st.sampled_from([0.0, 0.25, 0.5, 0.9]))
@settings(max_examples=60, deadline=None)
def test_every_metric_is_scikit_learns(pair, threshold):
    scores, label = pair
    decided = scores >= threshold
    found = binary_metrics(scores, label, threshold=threshold)
    expected = {
        "auc": oracle.roc_auc_score(label, scores),
        "log_loss": oracle.log_loss(label, scores, labels=[False, True]),
        "brier": oracle.brier_score_loss(label, scores),
        "average_precision": oracle.average_precision_score(label, scores),
        "accuracy": oracle.accuracy_score(label, decided),
        "recall": oracle.recall_score(label, decided),
        "f1": oracle.f1_score(label, decided, zero_division=0.0),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    if decided.any():
        assert found["precision"] == pytest.approx(
            oracle.precision_score(label, decided), abs=1e-12
        )
    else:
        assert found["precision"] is None


@given(rows())
@settings(max_examples=100, deadline=None)
def test_the_roc_curve_is_scikit_learns(pair):
    scores, label = pair
    x, y, _ = oracle.roc_curve(label, scores, drop_intermediate=False)
    found = roc_curve(scores, label)
    np.testing.assert_allclose([point.x for point in found], x, atol=1e-12)
    np.testing.assert_allclose([point.y for point in found], y, atol=1e-12)


@given(rows())
@settings(max_examples=100, deadline=None)
def test_the_precision_recall_curve_is_scikit_learns(pair):
    scores, label = pair
    precision, recall, _ = oracle.precision_recall_curve(label, scores)
    found = precision_recall_curve(scores, label)[::-1]
    np.testing.assert_allclose([point.y for point in found], precision[:-1], atol=1e-12)
    np.testing.assert_allclose([point.x for point in found], recall[:-1], atol=1e-12)


@given(rows(), st.integers(2, 10))
@settings(max_examples=100, deadline=None)
def test_the_calibration_curve_is_scikit_learns(pair, bins):
    scores, label = pair
    rate, said = oracle_calibration(label, scores, n_bins=bins, strategy="quantile")
    found = calibration_curve(scores, label, bins=bins)
    np.testing.assert_allclose([each.rate for each in found], rate, atol=1e-12)
    np.testing.assert_allclose([each.mean_score for each in found], said, atol=1e-12)
    assert sum(each.rows for each in found) == len(scores)


@given(rows(), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_changes_nothing(pair, random):
    scores, label = pair
    order = random.sample(range(len(scores)), len(scores))
    one = binary_metrics(scores, label, threshold=0.5)
    two = binary_metrics(scores[order], label[order], threshold=0.5)
    for name, value in one.items():
        assert two[name] == pytest.approx(value, abs=1e-12), name


@given(rows())
@settings(max_examples=50, deadline=None)
def test_swapping_candidate_and_current_turns_every_difference_around(pair):
    scores, label = pair
    other = scores[::-1].copy()
    there, back = paired(scores, other, label), paired(other, scores, label)
    for name, each in there.differences.items():
        turned = back.differences[name].improvement
        assert each.improvement.value == pytest.approx(-turned.value, abs=1e-12)
        assert each.improvement.low == pytest.approx(-turned.high, abs=1e-12)
