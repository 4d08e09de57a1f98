import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats.contingency import association

from tondo.core.errors import CallerError
from tondo.stages.data.cross import crosses

RANDOM = np.random.default_rng(11)
FIRST = RANDOM.normal(size=3000)
SECOND = 0.4 * FIRST + RANDOM.normal(size=3000)


def pair(engine, a, b):
    (found,) = crosses(pa.table({"a": a, "b": b}), engine=engine).numeric
    return found


def test_covariance_and_correlation_equal_numpy(engine):
    found = pair(engine, FIRST, SECOND)
    assert found.count == 3000
    assert found.covariance == pytest.approx(np.cov(FIRST, SECOND, ddof=0)[0, 1], rel=1e-9)
    assert found.correlation == pytest.approx(np.corrcoef(FIRST, SECOND)[0, 1], rel=1e-9)


def test_a_pair_with_a_missing_or_infinite_value_is_ignored(engine):
    first = [1.0, None, 3.0, float("nan"), 5.0, 9.0]
    found = pair(engine, pa.array(first), pa.array([2.0, 4.0, 7.0, 1.0, float("inf"), 1.0]))
    assert found.count == 3
    assert found.covariance == pytest.approx(np.cov([1, 3, 9], [2, 7, 1], ddof=0)[0, 1], rel=1e-9)


@pytest.mark.parametrize("shift", [1e6, 1e9])
@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_values_far_from_zero_keep_their_digits(engine, shift, scale):
    # Whole numbers, so that shifting them rounds nothing away.
    first, second = np.round(FIRST * 100), np.round(SECOND * 100)
    found = pair(engine, (first + shift) * scale, second * scale)
    assert found.correlation == pytest.approx(np.corrcoef(first, second)[0, 1], rel=1e-9)


def test_a_pair_that_overlaps_far_from_the_mean_keeps_its_digits(engine):
    first = np.concatenate((FIRST[:100] + 1e7, np.zeros(2900)))
    second = pa.array([*SECOND[:100], *[None] * 2900], pa.float64())
    found = pair(engine, first, second)
    oracle = np.corrcoef(first[:100] - 1e7, SECOND[:100])[0, 1]
    assert found.correlation == pytest.approx(oracle, rel=1e-9)


def test_a_constant_column_has_no_correlation(engine):
    found = pair(engine, np.full(3000, 0.1), SECOND)
    assert (found.covariance, found.correlation) == (0.0, None)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(*[st.one_of(st.none(), st.integers(-9, 9))] * 3), max_size=30))
def test_any_numeric_pairs_equal_numpy(engine, rows):
    columns = {name: [row[at] for row in rows] for at, name in enumerate("xyz")}
    table = pa.table({name: pa.array(each, pa.float64()) for name, each in columns.items()})
    for found in crosses(table, engine=engine).numeric:
        a, b = (columns[name] for name in found.columns)
        both = np.array([p for p in zip(a, b, strict=True) if None not in p], float)
        assert found.count == len(both)
        if len(both):
            expected = np.cov(both.T, ddof=0)[0, 1]
            assert found.covariance == pytest.approx(expected, rel=1e-9, abs=1e-12)
        if len(both) and both.std(axis=0).all():
            assert found.correlation == pytest.approx(np.corrcoef(both.T)[0, 1], abs=1e-9)


def test_cramers_v_equals_scipy(engine):
    first = RANDOM.integers(0, 4, 2000)
    second = np.where(RANDOM.random(2000) < 0.3, first, RANDOM.integers(0, 3, 2000))
    table = pa.table({"a": [f"v{n}" for n in first], "b": [f"w{n}" for n in second]})
    (found,) = crosses(table, engine=engine).categorical
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (first, second), 1)
    assert found.cramers_v == pytest.approx(association(counts, method="cramer"), rel=1e-9)


def test_more_than_a_hundred_values_are_no_category(engine):
    texts = [f"v{n}" for n in range(101)]
    table = pa.table({"many": texts, "few": [*texts[:100], "v0"], "b": [True] * 101})
    (found,) = crosses(table, engine=engine).categorical
    assert found.columns == ("few", "b")


@pytest.mark.parametrize("label", [[True, False, True, None, True], [1.0, 0.0, 1.0, None, 1.0]])
def test_lift_is_the_share_of_a_label_among_a_value_over_its_share_of_all(engine, label):
    table = pa.table({"late": label, "carrier": ["AA", "AA", "DL", "DL", "DL"]})
    found = crosses(table, engine=engine, label="late")
    lifts = {(each.value, each.label): each.lift for each in found.lifts}
    assert lifts[("AA", True)] == pytest.approx((1 / 2) / (3 / 4))
    assert lifts[("DL", True)] == pytest.approx((2 / 2) / (3 / 4))
    assert lifts[("AA", False)] == pytest.approx((1 / 2) / (1 / 4))
    assert "carrier = DL -> late" in repr(found)


def test_a_label_of_many_values_is_refused(engine):
    table = pa.table({"y": [float(n) for n in range(101)]})
    with pytest.raises(CallerError, match=r"TD-STATS-005.*101 values"):
        crosses(table, engine=engine, label="y")


def test_a_label_that_is_a_time_is_refused(engine):
    table = pa.table({"y": pa.array([1], pa.timestamp("us", tz="UTC"))})
    with pytest.raises(CallerError, match=r"TD-STATS-002.*timestamp"):
        crosses(table, engine=engine, label="y")


def test_a_table_without_rows_has_empty_pairs(engine):
    empty = pa.table({"a": pa.array([], pa.float64()), "b": pa.array([], pa.float64())})
    (found,) = crosses(empty, engine=engine).numeric
    assert (found.count, found.covariance, found.correlation) == (0, None, None)


def test_a_notebook_shows_the_strongest_pairs(engine):
    shown = crosses(pa.table({"<a>": FIRST, "b": SECOND}), engine=engine)._repr_html_()
    assert "&lt;a&gt; x b" in shown
    assert "r = 0." in shown
