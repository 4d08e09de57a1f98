from __future__ import annotations

import numpy as np
import pytest

from tondo.core.errors import CallerError
from tondo.stages.monitoring.consistency import consistency, together
from tondo.stages.monitoring.findings import consistency_findings


def test_equal_bits_are_exact_and_any_null_equals_any_null():
    logged = np.array([[1.0, np.nan], [0.1 + 0.2, 3.0]])
    again = np.array([[1.0, -np.nan], [0.1 + 0.2, 3.0]])
    assert consistency(logged, again, names=["a", "b"]).exact


def test_one_unit_in_the_last_place_is_a_difference():
    logged = np.array([[0.1 + 0.2], [1.0]])
    report = consistency(logged, np.array([[0.3], [1.0]]), names=["a"])
    assert (report.equal_rows, report.features[0].share) == (1, 0.5)
    assert report.features[0].examples == ((0, 0.1 + 0.2, 0.3),)


def test_zero_and_minus_zero_differ():
    assert not consistency(np.array([[0.0]]), np.array([[-0.0]]), names=["a"]).exact


def test_the_least_consistent_feature_comes_first():
    logged = np.zeros((4, 2))
    again = logged.copy()
    again[:3, 1] = np.nan
    report = consistency(logged, again, names=["a", "b"])
    assert [(each.name, each.share) for each in report.features] == [("b", 0.25), ("a", 1.0)]


def test_nothing_to_compare_is_consistent():
    assert consistency(np.empty((0, 1)), np.empty((0, 1)), names=["a"]).exact


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(CallerError, match="TD-MONITOR-005"):
        consistency(np.zeros((2, 1)), np.zeros((3, 1)), names=["a"])


def test_a_feature_with_a_tolerance_is_compared_within_it():
    logged, again = np.array([[1.0], [1.0], [np.nan]]), np.array([[1.0 + 1e-12], [1.1], [np.nan]])
    report = consistency(logged, again, names=["a"], tolerances={"a": 1e-9}, rows=["x", "y", "z"])
    assert (report.features[0].equal, report.features[0].examples[0][0]) == (2, "y")


def test_an_infinity_is_near_no_number():
    report = consistency(np.array([[1.0]]), np.array([[np.inf]]), names=["a"], tolerances={"a": 1})
    assert report.equal_rows == 0


def test_versions_with_other_features_are_counted_by_name():
    one = consistency(np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]]), names=["a", "b"])
    two = consistency(np.array([[2.0, 5.0]]), np.array([[2.0, 5.0]]), names=["b", "c"])
    both = together([one, two])
    assert (both.rows, both.equal_rows) == (2, 1)
    assert {each.name: (each.equal, each.rows) for each in both.features} == {
        "a": (1, 1),
        "b": (1, 2),
        "c": (1, 1),
    }


def test_only_features_that_differ_are_findings_and_gravity_follows_the_rate():
    logged = np.zeros((20_000, 3))
    again = logged.copy()
    again[0, 0] = again[:10, 1] = 1.0
    report = consistency(logged, again, names=["a", "b", "c"])
    found = consistency_findings(report, deployment="d", at_us=1)
    assert [(each.key, each.severity) for each in found] == [
        ("consistency/d/b", "critical"),
        ("consistency/d/a", "warning"),
    ]
