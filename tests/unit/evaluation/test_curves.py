from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc as area

from tondo.stages.evaluation.calibration import calibration_curve, expected_calibration_error
from tondo.stages.evaluation.curves import (
    MOST_POINTS,
    average_precision,
    precision_recall_curve,
    roc_curve,
)
from tondo.stages.evaluation.delong import auc


def rows(count=20_000, seed=1):
    draw = np.random.default_rng(seed)
    label = draw.random(count) < 0.2
    return 1 / (1 + np.exp(-(draw.normal(size=count) + label - 1.5))), label


@pytest.mark.parametrize("curve", [roc_curve, precision_recall_curve])
def test_a_long_curve_is_thinned_and_keeps_its_ends(curve):
    points = curve(*rows())
    assert len(points) <= MOST_POINTS
    assert points[-1].x == 1.0
    full = curve(*rows(), most=10**9)
    assert (points[0], points[-1]) == (full[0], full[-1])


def test_the_thinned_roc_has_nearly_the_whole_area():
    points = roc_curve(*rows())
    drawn = area([point.x for point in points], [point.y for point in points])
    assert drawn == pytest.approx(auc(*rows()), abs=1e-4)


@pytest.mark.parametrize("label", [[0, 0], [1, 1], []])
def test_one_class_alone_has_no_roc(label):
    assert roc_curve([0.1, 0.2][: len(label)], label) == []


def test_without_positives_there_is_no_precision():
    assert precision_recall_curve([0.1, 0.2], [0, 0]) == []
    assert average_precision([0.1, 0.2], [0, 0]) is None


def test_a_point_says_by_which_threshold_it_is_reached():
    points = precision_recall_curve([0.9, 0.2], [1, 0])
    assert [(point.x, point.y, point.threshold) for point in points] == [
        (1.0, 1.0, 0.9),
        (1.0, 0.5, 0.2),
    ]


def test_true_probabilities_are_calibrated():
    draw = np.random.default_rng(2)
    scores = draw.random(50_000)
    assert expected_calibration_error(scores, draw.random(50_000) < scores) < 0.01


def test_the_calibration_bins_are_of_equal_mass():
    assert {each.rows for each in calibration_curve(*rows())} == {2000}


def test_equal_scores_share_one_bin():
    (only,) = calibration_curve([0.5] * 8, [0, 1] * 4)
    assert (only.rows, only.mean_score, only.rate) == (8, 0.5, 0.5)


def test_no_rows_have_no_calibration():
    assert calibration_curve([], []) == []
    assert expected_calibration_error([], []) is None
