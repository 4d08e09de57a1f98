from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tondo.stages.evaluation.delong import auc
from tondo.stages.evaluation.slices import MOST_VALUES, slice_reports


def rows(count, seed=1):
    draw = np.random.default_rng(seed)
    label = draw.random(count) < 0.4
    return draw.random(count) * 0.5 + 0.3 * label, label


def test_a_slice_is_what_filtering_first_gives():
    scores, label = rows(600)
    names = np.array(["EWR", "JFK", "LGA"] * 200)
    found = {each.value: each for each in slice_reports("origin", pa.array(names), scores, label)}
    for name, each in found.items():
        assert each.auc == auc(scores[names == name], label[names == name])
        assert each.rows == 200


def test_slices_below_a_hundred_rows_are_left_out():
    scores, label = rows(300)
    values = pa.array(["a"] * 100 + ["b"] * 99 + ["c"] * 101)
    found = slice_reports("x", values, scores, label)
    assert [(each.value, each.rows) for each in found] == [("c", 101), ("a", 100)]


def test_nulls_are_a_slice_of_their_own():
    scores, label = rows(200)
    found = slice_reports("x", pa.array(["a"] * 100 + [None] * 100), scores, label)
    assert [each.value for each in found] == ["(null)", "a"]


def test_truth_values_are_slices():
    scores, label = rows(400)
    found = slice_reports("night", pa.array([True, False] * 200), scores, label)
    assert {each.value for each in found} == {"True", "False"}


def test_only_the_most_frequent_values_are_shown():
    scores, label = rows(4000)
    values = pa.array([f"v{at % 20}" for at in range(4000)])
    assert len(slice_reports("x", values, scores, label)) == MOST_VALUES


def test_numbers_of_many_values_are_cut_at_their_quartiles():
    scores, label = rows(1000)
    found = slice_reports("distance", pa.array(np.arange(1000.0)), scores, label)
    assert {each.rows for each in found} == {250}
    assert "below 249.75" in {each.value for each in found}


def test_numbers_of_few_values_are_slices_by_value():
    scores, label = rows(400)
    found = slice_reports("stops", pa.array([0.0, 1.0] * 200), scores, label)
    assert [each.value for each in found] == ["0", "1"]


@pytest.mark.parametrize("positive", [True, False])
def test_a_slice_of_one_class_has_no_auc(positive):
    scores, _ = rows(100)
    (only,) = slice_reports("x", pa.array(["a"] * 100), scores, np.full(100, positive))
    assert only.auc is None
    assert only.log_loss is not None
