"""Planted leaks are found, clean rows have none, and each number is scikit-learn's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tondo.stages.training.leakage import look_for_leaks
from tondo.stages.training.strength import auc_by_value, auc_of, equal_bits, nulls_by_chance

NAMES = ["one", "two", "kind"]


def clean(rows=4000, seed=1):
    """Features that know something of the label, and a kind of a few values."""
    draw = np.random.default_rng(seed)
    label = (draw.random(rows) < 0.3).astype(float)
    one = draw.normal(size=rows) + label
    two = draw.normal(size=rows)
    two[draw.random(rows) < 0.2] = np.nan
    return np.column_stack([one, two, draw.integers(0, 20, rows)]).astype(float), label


def looked(matrix, label, *, keys=None, by="time", early=0, held=None):
    cut = len(label) * 3 // 4
    return look_for_leaks(
        matrix[:cut] if held is None else matrix,
        label[:cut] if held is None else label,
        matrix[cut:] if held is None else held,
        names=NAMES,
        keys=keys or {},
        by=by,
        label_known_early=early,
        rows=len(label),
    )


def kinds(report):
    return [(each.kind, each.subject) for each in report.leaks]


@given(
    rows=st.lists(
        st.tuples(st.sampled_from([0.0, -0.0, 1.5, 2.0, -3.0, 1e300, np.inf]), st.booleans()),
        min_size=2,
        max_size=40,
    )
)
@settings(max_examples=60, deadline=None)
def test_the_auc_of_one_feature_is_scikit_learns(rows):
    values = np.array([value for value, _ in rows])
    label = np.array([float(truth) for _, truth in rows])
    if len(set(label)) < 2:
        assert auc_of(values, label) is None
    else:
        finite = np.where(np.isinf(values), 1.7e308, values)
        assert auc_of(values, label) == pytest.approx(roc_auc_score(label, finite), abs=1e-12)


def test_the_auc_by_value_is_scikit_learns_of_rates_from_the_other_half():
    matrix, label = clean()
    kind = matrix[:, 2]
    learned, scored = slice(0, None, 2), slice(1, None, 2)
    prior = label[learned].mean()
    rates = {}
    for value in set(kind.tolist()):
        known = label[learned][kind[learned] == value]
        rates[value] = (known.sum() + prior) / (len(known) + 1)
    expected = roc_auc_score(label[scored], [rates[each] for each in kind[scored].tolist()])
    assert auc_by_value(kind, label) == pytest.approx(expected, abs=1e-12)


def test_clean_rows_have_no_leak_and_their_strengths_are_told():
    matrix, label = clean()
    report = looked(matrix, label)
    assert report.leaks == []
    expected = roc_auc_score(label[:3000], matrix[:3000, 0])
    assert report.features["one"] == pytest.approx(expected, abs=1e-6)
    assert (report.rows, report.held_back) == (3000, 1000)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_feature_that_is_the_label_with_noise_is_told_whichever_way_it_points(way):
    matrix, label = clean()
    noise = np.random.default_rng(2).normal(size=len(label))
    matrix[:, 1] = way * (label * 6 + noise)
    report = looked(matrix, label)
    assert kinds(report) == [("feature", "two")]
    told = roc_auc_score(label[:3000], way * matrix[:3000, 1])
    assert report.leaks[0].numbers["auc"] == pytest.approx(told, abs=1e-6)


def test_a_kind_that_names_the_outcome_is_told_though_its_numbers_are_in_no_order():
    matrix, label = clean()
    draw = np.random.default_rng(3)
    matrix[:, 2] = np.where(
        label == 1, draw.choice([3, 11, 17], 4000), draw.choice([2, 9, 18], 4000)
    )
    assert abs(roc_auc_score(label, matrix[:, 2]) - 0.5) < 0.2
    assert kinds(looked(matrix, label)) == [("feature", "kind")]


def test_a_kind_of_a_value_for_each_row_is_no_leak():
    matrix, label = clean()
    matrix[:, 2] = np.random.default_rng(4).permutation(len(label))
    assert looked(matrix, label).leaks == []


@pytest.mark.parametrize(("outcome", "state"), [(1.0, "null"), (0.0, "null")])
def test_a_feature_that_is_null_for_one_class_only_is_told(outcome, state):
    matrix, label = clean()
    chosen = (label == outcome) & (np.random.default_rng(5).random(len(label)) < 0.2)
    matrix[:, 1] = np.where(chosen, np.nan, np.random.default_rng(6).normal(size=len(label)))
    (leak,) = looked(matrix, label).leaks
    assert (leak.kind, leak.subject) == ("null", "two")
    assert state in leak.message
    assert leak.numbers["rows"] == np.isnan(matrix[:3000, 1]).sum()


def test_the_chance_of_one_sided_nulls_is_the_binomials():
    label = np.array([1.0] * 60 + [0.0] * 40)
    values = np.where(np.arange(100) < 30, np.nan, 1.0)
    found = nulls_by_chance(values, label)
    assert (found.state, found.rows, found.label) == ("null", 30, "positive")
    assert found.chance == pytest.approx(0.6**30)


def test_copies_on_both_sides_are_told_with_their_number():
    matrix, label = clean()
    held = np.concatenate([matrix[3000:], matrix[:100]])
    report = looked(matrix[:3000], label[:3000], held=held)
    assert kinds(report) == [("rows", "")]
    assert report.equal_rows.rows == 100
    seen = {tuple(row) for row in np.nan_to_num(matrix[:3000], nan=-1e9).tolist()}
    slow = sum(tuple(row) in seen for row in np.nan_to_num(held, nan=-1e9).tolist())
    assert report.equal_rows.rows == slow


def test_rows_of_few_values_are_equal_by_chance_and_no_leak():
    draw = np.random.default_rng(7)
    matrix = draw.integers(0, 30, (4000, 3)).astype(float)
    label = (draw.random(4000) < 0.3).astype(float)
    report = looked(matrix, label)
    assert report.equal_rows.rows == pytest.approx(report.equal_rows.expected, rel=0.3)
    assert report.leaks == []


def test_persons_on_both_sides_are_told_by_random_and_not_by_time():
    matrix, label = clean()
    ids = np.random.default_rng(8).integers(0, 300, 4000)
    keys = {"customer": (pa.chunked_array([ids[:3000]]), pa.chunked_array([ids[3000:]]))}
    assert kinds(looked(matrix, label, keys=keys, by="random")) == [("key", "customer")]
    report = looked(matrix, label, keys=keys, by="time")
    (overlap,) = report.keys
    shared = set(ids[:3000].tolist()) & set(ids[3000:].tolist())
    assert (report.leaks, overlap.shared_values) == ([], len(shared))
    assert overlap.rows == sum(each in shared for each in ids[3000:].tolist())


def test_places_on_both_sides_are_told_by_nobody():
    matrix, label = clean()
    ids = pa.chunked_array([np.random.default_rng(8).integers(0, 3, 4000)])
    keys = {"origin": (ids.slice(0, 3000), ids.slice(3000))}
    assert looked(matrix, label, keys=keys, by="random").leaks == []


def test_a_label_known_early_is_told():
    matrix, label = clean()
    (leak,) = looked(matrix, label, early=40).leaks
    assert (leak.kind, leak.numbers) == ("label", {"rows": 40, "share": 0.01})


def test_keys_without_any_value_share_nothing():
    matrix, label = clean()
    nothing = pa.chunked_array([pa.nulls(10, pa.string())])
    (overlap,) = looked(matrix, label, keys={"k": (nothing, nothing)}, by="random").keys
    assert (overlap.rows, overlap.share, overlap.shared_values) == (0, 0.0, 0)


@pytest.mark.parametrize("rows", [2, 50])
def test_few_rows_claim_nothing(rows):
    label = np.arange(rows) % 2.0
    report = looked(np.column_stack([label, label, label]), label)
    assert (report.leaks, set(report.features.values())) == ([], {None})


def test_infinities_and_features_without_any_value_are_measured():
    matrix, label = clean()
    matrix[::3, 0], matrix[1::3, 0], matrix[:, 1] = np.inf, -np.inf, np.nan
    report = looked(matrix, label)
    assert report.leaks == []
    assert report.features["two"] == pytest.approx(0.5)


def test_equal_rows_have_equal_bits_and_others_other_ones():
    draw = np.random.default_rng(9)
    rows = draw.integers(-3, 3, (20_000, 4)) / 3
    rows[rows > 0.6] = np.nan
    bits = equal_bits(rows)
    assert len(np.unique(bits)) == len(
        {tuple(row) for row in np.nan_to_num(rows, nan=9.0).tolist()}
    )
    assert equal_bits(np.array([[0.0, np.nan]])) == equal_bits(np.array([[-0.0, -np.nan]]))
    assert equal_bits(np.array([[1.0, 2.0]])) != equal_bits(np.array([[2.0, 1.0]]))
