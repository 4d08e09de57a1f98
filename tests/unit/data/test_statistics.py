from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tondo.stages.data.statistics import Statistics, statistics

NUMBERS = np.random.default_rng(7).normal(size=1001).round(2)


def of(engine, column, type_):
    found = statistics(pa.table({"x": column}), engine=engine, columns={"x": type_})
    return found.columns["x"]


def test_moments_quantiles_and_histogram_equal_numpy(engine):
    found = of(engine, NUMBERS, "double")
    counts, edges = np.histogram(NUMBERS, bins=10)
    assert found.mean == pytest.approx(NUMBERS.mean(), rel=1e-12)
    assert found.sd == pytest.approx(NUMBERS.std(), rel=1e-12)
    assert (found.min, found.max) == (NUMBERS.min(), NUMBERS.max())
    assert [bucket[2] for bucket in found.histogram] == counts.tolist()
    assert [bucket[0] for bucket in found.histogram] == pytest.approx(edges[:-1].tolist())
    for text, value in found.quantiles.items():
        assert value == np.quantile(NUMBERS, float(text), method="inverted_cdf")


def test_distinct_and_top_values_equal_a_plain_count(engine):
    found = of(engine, NUMBERS, "double")
    counts = Counter(NUMBERS.tolist())
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    assert found.distinct == len(counts)
    assert list(found.top) == ranked[:20]


def test_null_nan_infinity_and_zero_are_counted_apart(engine):
    values = pa.array([0.0, -0.0, None, float("nan"), float("inf"), -float("inf"), 2.0])
    found = of(engine, values, "double")
    assert (found.rows, found.missing, found.nan, found.infinite) == (7, 1, 1, 2)
    assert (found.zeros, found.present, found.distinct) == (2, 5, 4)
    assert (found.min, found.max, found.mean) == (0.0, 2.0, pytest.approx(2 / 3))
    assert list(found.top) == [(0.0, 2), ("-inf", 1), (2.0, 1), ("inf", 1)]


def test_the_top_count_of_values_that_never_repeat_is_one(engine):
    found = of(engine, np.arange(5000.0), "double")
    assert list(found.top) == [(float(value), 1) for value in range(20)]


def test_text_is_measured_in_characters_and_counted_in_full_to_a_thousand(engine):
    words = ["é€", "", "long word", None] + [f"w{number:04}" for number in range(1500)]
    found = of(engine, pa.array(words), "string")
    assert (found.rows, found.missing, found.empty, found.distinct) == (1504, 1, 1, 1503)
    assert (found.length.min, found.length.max) == (0, 9)
    assert found.length.mean == pytest.approx((2 + 0 + 9 + 5 * 1500) / 1503)
    assert (len(found.top), found.tail) == (1000, 503)
    assert found.top[0] == ("", 1)


def test_booleans_are_counted(engine):
    found = of(engine, pa.array([True, False, True, None]), "bool")
    assert (found.top, found.missing, found.distinct) == (((True, 2), (False, 1)), 1, 2)


def test_times_are_microseconds_and_dates_days(engine):
    times = pa.array([5, 1, None], pa.timestamp("us", tz="UTC"))
    assert (of(engine, times, "timestamp").min, of(engine, times, "timestamp").max) == (1, 5)
    dates = pa.array([15706, 15707], pa.date32())
    assert of(engine, dates, "date").min == 15706


def test_large_ids_stay_exact(engine):
    found = of(engine, pa.array([2**60, 2**60 + 1], pa.int64()), "id")
    assert (found.min, found.max, found.distinct) == (2**60, 2**60 + 1, 2)


def test_lists_are_counted_and_measured(engine):
    found = of(engine, pa.array([[1.0, 2.0], [], None]), "list<double>")
    assert (found.rows, found.missing, found.empty) == (3, 1, 1)
    assert (found.length.min, found.length.max, found.length.mean) == (0, 2, 1.0)


@pytest.mark.parametrize("type_", ["double", "id", "bool", "string", "timestamp", "list<double>"])
@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_column_without_values_has_statistics_too(engine, type_, values):
    from tondo.stages.data.arrow_types import arrow_type

    found = of(engine, pa.array(values, arrow_type(type_)), type_)
    assert (found.rows, found.missing, found.present) == (len(values), len(values), 0)


def test_values_near_the_largest_double_do_not_overflow(engine):
    found = of(engine, pa.array([-1.7e308, 1.7e308]), "double")
    assert found.mean == 0
    assert found.sd == pytest.approx(1.7e308)
    assert [bucket[2] for bucket in found.histogram] == [1, *[0] * 8, 1]


def test_a_constant_column_has_one_bucket(engine):
    assert of(engine, pa.array([3.0, 3.0]), "double").histogram == ((3.0, 3.0, 2),)


@given(
    values=st.lists(
        st.one_of(st.none(), st.floats(width=32), st.sampled_from([0.0, 1.0, 2.5])), max_size=60
    )
)
def test_statistics_of_any_numbers_equal_a_slow_count(engine, values):
    column = pa.array(values, pa.float64())
    found = of(engine, column, "double")
    present = [value for value in values if value is not None and value == value]
    finite = sorted(value for value in present if abs(value) != float("inf"))
    assert found.missing == values.count(None)
    assert found.nan == len(values) - values.count(None) - len(present)
    assert found.distinct == len(set(present))
    assert found.infinite == len(present) - len(finite)
    assert (found.min, found.max) == ((finite[0], finite[-1]) if finite else (None, None))
    assert sum(bucket[2] for bucket in found.histogram) == len(finite)
    assert found.mean == pytest.approx(np.mean(finite), rel=1e-9) if finite else not found.mean


def test_the_order_of_the_rows_does_not_change_the_id(engine):
    table = pa.table({"x": NUMBERS, "s": [f"v{value}" for value in NUMBERS]})
    shuffled = table.take(pc.sort_indices(table["s"]))
    assert statistics(table, engine=engine).id == statistics(shuffled, engine=engine).id


def test_a_notebook_shows_every_column_escaped(engine):
    shown = statistics(pa.table({"<b>": ["<i>"], "n": [1.0]}), engine=engine)
    assert isinstance(shown, Statistics)
    html = shown._repr_html_()
    assert "&lt;b&gt;" in html
    assert "&lt;i&gt; 100 %" in html
    assert "<svg" in html
    assert "<i>" not in html
    assert "double" in repr(shown)
