"""Distances against SciPy, NumPy and slow loops."""

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr
from scipy.stats import ks_2samp

from tondo.stages.data.constraints import MEASURES, Comparator
from tondo.stages.data.distances import (
    Histogram,
    between,
    jensen_shannon,
    jensen_shannon_histograms,
    l_infinity,
    measure,
    normalized_difference,
)
from tondo.stages.data.histograms import kolmogorov, normalized_difference_histograms
from tondo.stages.data.schema import ColumnSchema, Schema
from tondo.stages.data.statistics import ColumnStatistics, statistics

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=1)
bounds = st.lists(st.integers(-20, 20), min_size=2, max_size=6, unique=True)


@st.composite
def histograms(draw):
    edges = sorted(draw(bounds))
    return Histogram(
        buckets=tuple(
            (float(low), float(high), draw(st.integers(1, 30))) for low, high in pairwise(edges)
        )
    )


def shares(a, b):
    labels = sorted({*a, *b})
    return (np.array([each.get(label, 0) for label in labels]) for each in (a, b))


def scipys(p, q):
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    return (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2 / np.log(2)


@settings(max_examples=100)
@given(a=counts, b=counts)
def test_jensen_shannon_of_labels_is_scipys(a, b):
    p, q = shares(a, b)
    assert jensen_shannon(a, b) == pytest.approx(scipys(p, q), abs=1e-12)


@settings(max_examples=100)
@given(a=counts, b=counts)
def test_l_infinity_and_normalized_difference_are_a_slow_loop(a, b):
    p, q = shares(a, b)
    assert l_infinity(a, b)[0] == pytest.approx(abs(p / p.sum() - q / q.sum()).max(), abs=1e-15)
    assert normalized_difference(a, b)[0] == pytest.approx(abs(p - q).max() / (p.sum() + q.sum()))


def spread(histogram, edges):
    """Cut at integers: a slow loop over unit stretches."""
    found = np.zeros(len(edges) - 1)
    for low, high, count in histogram.buckets:
        for at, edge in enumerate(edges[:-1]):
            if low <= edge < high:
                found[at] += count / (high - low)
    return found


@settings(max_examples=100)
@given(a=histograms(), b=histograms())
def test_histograms_are_cut_at_the_bounds_of_both(a, b):
    edges = range(-20, 21)
    p, q = spread(a, edges), spread(b, edges)
    expected = scipys(p, q)
    assert jensen_shannon_histograms(a, b) == pytest.approx(expected, abs=1e-12)
    slow = abs(np.cumsum(p / p.sum()) - np.cumsum(q / q.sum())).max()
    assert kolmogorov(a, b)[0] == pytest.approx(slow, abs=1e-12)


@settings(max_examples=50)
@given(a=histograms(), b=histograms())
def test_distances_are_symmetric_zero_for_the_same_and_at_most_one(a, b):
    for distance in (jensen_shannon_histograms, lambda x, y: kolmogorov(x, y)[0]):
        assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-15)
        assert distance(a, a) == 0
        assert 0 <= distance(a, b) <= 1


@settings(max_examples=50)
@given(a=counts, times=st.integers(1, 9))
def test_the_same_shares_of_more_rows_are_at_exactly_zero(a, times):
    more = {label: count * times for label, count in a.items()}
    assert jensen_shannon(a, more) == 0
    assert l_infinity(a, more)[0] == 0


def test_disjoint_labels_are_at_exactly_one():
    assert jensen_shannon({"a": 1, "b": 2, "c": 4}, {"d": 3, "e": 4}) == 1


def test_a_point_meets_only_the_same_point():
    point = Histogram(buckets=((1.0, 1.0, 3),))
    around = Histogram(buckets=((0.0, 2.0, 3),))
    assert jensen_shannon_histograms(point, point) == 0
    assert jensen_shannon_histograms(point, around) == 1
    assert kolmogorov(point, around) == (0.5, "1")


def test_nan_never_meets_nan():
    half = Histogram(buckets=((0.0, 1.0, 5),), nan=5)
    assert jensen_shannon_histograms(half, half) == 0.5


def test_infinite_mass_never_meets_infinite_mass_but_its_share_is_compared():
    half = Histogram(buckets=((0.0, 1.0, 5), (1.0, math.inf, 5)))
    none = Histogram(buckets=((0.0, 1.0, 10),))
    assert jensen_shannon_histograms(half, half) == 0.5
    assert kolmogorov(half, half)[0] == 0
    assert kolmogorov(half, none)[0] == 0.5


def test_one_empty_side_is_far_and_two_are_the_same():
    some, none = Histogram(buckets=((0.0, 1.0, 5),)), Histogram()
    assert jensen_shannon_histograms(some, none) == jensen_shannon({"a": 1}, {}) == 1
    assert jensen_shannon_histograms(none, none) == jensen_shannon({}, {}) == 0
    assert kolmogorov(some, none)[0] == 1
    assert normalized_difference_histograms(none, none) == (0, "")


def test_a_column_of_numbers_never_passes_silently(engine):
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=5000), rng.normal(1, size=5000)
    here, there = (statistics(pa.table({"x": each}), engine=engine).columns["x"] for each in (b, a))
    value, _ = between(there, here, "l_infinity")
    assert value == pytest.approx(ks_2samp(a, b).statistic, abs=0.06)
    assert value > 0.3


def test_values_that_were_not_kept_are_one_more_value(engine):
    many = pa.table({"c": [f"v{number:05}" for number in range(3000)]})
    one = pa.table({"c": ["x"] * 3000})
    before, after = (statistics(each, engine=engine).columns["c"] for each in (many, one))
    assert between(before, before, "jensen_shannon")[0] == 0
    assert between(before, after, "jensen_shannon")[0] == 1
    rest = ColumnStatistics(type="string", rows=9, missing=0, distinct=3, top=(("a", 3),))
    assert between(rest, before, "l_infinity")[1] in {"a", "(all other values)"}


def test_lists_are_compared_by_their_items(engine):
    tables = (pa.table({"x": pa.array([items])}) for items in (["a", "b"], ["a", "a", "a", "c"]))
    before, after = (statistics(each, engine=engine).columns["x"] for each in tables)
    assert between(before, after, "l_infinity") == (0.5, "b")


@pytest.mark.parametrize("kind", ["list<id>", "timestamp"])
def test_columns_of_two_types_cannot_be_compared(kind):
    one = ColumnStatistics(type=kind, rows=0, missing=0)
    text = ColumnStatistics(type="string", rows=0, missing=0)
    assert between(one, text, "l_infinity") is None


def test_every_measurement_is_kept_with_its_threshold(engine):
    table = pa.table({"x": [1.0, 2.0], "s": ["a", "b"], "old": ["a", "b"]})
    found = statistics(table, engine=engine)
    schema = Schema(
        name="t",
        columns={
            "x": ColumnSchema(type="double", skew=Comparator(jensen_shannon=0.1)),
            "s": ColumnSchema(type="string"),
            "gone": ColumnSchema(type="string"),
            "old": ColumnSchema(type="string", stage="deprecated"),
        },
    )
    measured = measure(found, found, schema, against="skew")
    assert [(each.column, each.measure) for each in measured] == [
        (column, name) for column in ("x", "s") for name in MEASURES
    ]
    assert {each.value for each in measured} == {0}
    assert [each.threshold for each in measured if each.column == "x"] == [None, 0.1, None]


def distances_of(engine, kind, before, after):
    expected = Schema(name="t", columns={"x": ColumnSchema(type="double")})
    then, now = (
        statistics(pa.table({"x": pa.array(each, kind)}), engine=engine) for each in (before, after)
    )
    return {each.measure: each.value for each in measure(then, now, expected)}


def test_a_column_that_is_missing_throughout_in_both_batches_is_not_measured(engine):
    assert distances_of(engine, pa.float64(), [None, None], [None]) == {}


def test_one_that_lost_all_its_values_is_at_one(engine):
    lost = distances_of(engine, pa.float64(), [1.0, 2.0], [None, None])
    assert lost["jensen_shannon"] == lost["l_infinity"] == 1


def test_lists_without_items_have_no_divergence_and_no_difference(engine):
    found = distances_of(engine, pa.list_(pa.string()), [[]], [[], []])
    assert found == {"l_infinity": 0, "normalized_difference": 0}
