"""Sketches against the exact statistics of the same rows: within what they say of themselves."""

import sys
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tondo.adapters.sketches.datasketches.sketches import DataSketches
from tondo.core.errors import DataError, MissingExtraError
from tondo.stages.data.sketches import merge, read_sketch, sketch
from tondo.stages.data.statistics import statistics

SKETCHES = DataSketches()
ROWS = 40_000
# The bound of ranks holds in 99 of 100 cases; twice as far is all but never passed.
SLACK = 2


def of(table):
    return sketch(table, sketches=SKETCHES)


def parts_of(table, count):
    size = max(-(-table.num_rows // count), 1)
    return [of(table.slice(start, size)) for start in range(0, table.num_rows, size)]


def mixed(rows=ROWS, seed=3):
    random = np.random.default_rng(seed)
    zipf = np.minimum(random.zipf(1.3, rows), 20_000)
    doubles = random.normal(size=rows) * 10.0
    doubles[::50] = 0.0
    doubles[::97] = np.nan
    doubles[::101] = np.inf
    return pa.table(
        {
            "x": pa.array(doubles, mask=random.random(rows) < 0.05),
            "word": pa.array([f"w{value}" if value > 1 else "" for value in zipf]),
            "id": random.permutation(rows) * 1_000_003,
            "at": pa.array(random.integers(0, 10**15, rows), pa.timestamp("us", tz="UTC")),
            "day": pa.array(random.integers(0, 20_000, rows).astype(np.int32), pa.date32()),
            "flag": random.random(rows) < 0.3,
        }
    )


@pytest.fixture(scope="module")
def exact(engine):
    return statistics(mixed(), engine=engine)


@pytest.fixture(scope="module")
def whole():
    return merge(parts_of(mixed(), 7))


@pytest.fixture(scope="module")
def about(whole):
    return whole.statistics()


COLUMNS = ["x", "word", "id", "at", "day", "flag"]


@pytest.mark.parametrize("name", COLUMNS)
def test_counts_ends_and_lengths_of_merged_parts_are_exact(exact, about, name):
    ours, truth = about.statistics.columns[name], exact.columns[name]
    for field in ("type", "rows", "missing", "nan", "infinite", "zeros", "empty", "min", "max"):
        assert getattr(ours, field) == getattr(truth, field), field
    if truth.length is not None:
        assert ours.length == truth.length


def test_moments_of_merged_parts_are_exact_but_for_rounding(exact, about):
    ours, truth = about.statistics.columns["x"], exact.columns["x"]
    assert ours.mean == pytest.approx(truth.mean, rel=1e-9)
    assert ours.sd == pytest.approx(truth.sd, rel=1e-9)


@pytest.mark.parametrize("name", COLUMNS)
def test_distinct_values_are_within_their_bounds(exact, about, name):
    low, high = about.bounds[name].distinct
    assert low <= exact.columns[name].distinct <= high
    assert low <= about.statistics.columns[name].distinct <= high


@pytest.mark.parametrize("name", ["word", "flag", "id", "x"])
def test_frequent_values_are_within_their_bounds_and_never_inflated(about, name):
    values = mixed()[name].to_pylist()
    counts = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    shown = about.statistics.columns[name].top
    for (value, least), (low, high) in zip(shown, about.bounds[name].top, strict=True):
        truth = counts[float(value) if name == "x" else value]
        assert least == low <= truth <= high
    known = {str(value) for value, _ in shown}
    others = [n for value, n in counts.items() if value is not None and str(value) not in known]
    assert max(others, default=0) <= about.bounds[name].other or name == "x"


def test_a_column_of_all_different_values_has_no_frequent_one(about):
    assert about.statistics.columns["id"].top == ()
    assert about.bounds["id"].other < 0.003 * ROWS


@pytest.mark.parametrize("name", ["x", "id", "at", "day"])
def test_quantiles_have_a_rank_within_the_stated_error(about, name):
    column = mixed()[name].drop_null()
    kind = {"x": pa.float64(), "day": pa.int32()}.get(name, pa.int64())
    numbers = column.cast(kind).to_numpy()
    numbers = np.sort(numbers[np.isfinite(numbers)])
    allowed = SLACK * about.bounds[name].rank_error
    assert 0 < allowed < 0.02
    for share, value in about.statistics.columns[name].quantiles.items():
        low, high = (np.searchsorted(numbers, value, side=side) for side in ("left", "right"))
        assert low / len(numbers) - allowed <= float(share) <= high / len(numbers) + allowed


def test_the_histogram_is_off_by_no_more_than_it_says(exact, about):
    ours, truth = about.statistics.columns["x"].histogram, exact.columns["x"].histogram
    assert sum(count for *_, count in ours) == sum(count for *_, count in truth)
    for mine, other in zip(ours, truth, strict=True):
        assert mine[:2] == pytest.approx(other[:2])
        assert abs(mine[2] - other[2]) <= SLACK * about.bounds["x"].bucket_error


def test_each_order_of_merging_keeps_the_bounds(exact):
    parts = parts_of(mixed(), 3)
    for order in permutations(parts):
        found = merge(order).statistics()
        for name in COLUMNS:
            ours, truth = found.statistics.columns[name], exact.columns[name]
            low, high = found.bounds[name].distinct
            assert (ours.rows, ours.missing, ours.min) == (truth.rows, truth.missing, truth.min)
            assert low <= truth.distinct <= high


def test_few_rows_are_told_exactly_and_nothing_is_marked(engine):
    table = mixed(rows=300)
    found = of(table).statistics()
    exact = statistics(table, engine=engine)
    for name in COLUMNS:
        ours, truth = found.statistics.columns[name], exact.columns[name]
        assert found.bounds[name].approximate == ()
        assert ours.distinct == truth.distinct
        assert ours.quantiles == truth.quantiles
        assert ours.quantile_histogram == truth.quantile_histogram
        assert sorted(map(str, ours.top)) == sorted(map(str, truth.top)) or truth.tail


def test_lists_are_counted_and_their_items_sketched(engine):
    lists = pa.array([[1.0, 2.0], [], None, [float("nan"), 5.0, None]] * 10)
    found = merge(parts_of(pa.table({"l": lists}), 2)).statistics()
    ours = found.statistics.columns["l"]
    truth = statistics(pa.table({"l": lists}), engine=engine).columns["l"]
    assert (ours.rows, ours.missing, ours.empty) == (truth.rows, truth.missing, truth.empty)
    assert (ours.length.min, ours.length.max, ours.length.total) == (0, 3, 50)
    assert (ours.items.nan, ours.items.missing) == (truth.items.nan, truth.items.missing)
    assert ours.items.quantiles == truth.items.quantiles


FINITE = some.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=25, deadline=None)
@given(some.lists(some.one_of(some.none(), some.floats()), max_size=60), some.integers(1, 5))
def test_any_numbers_in_any_parts_keep_counts_and_ends(values, count):
    table = pa.table({"v": pa.array(values, pa.float64())})
    found = merge(parts_of(table, count) or [of(table)]).statistics().statistics.columns["v"]
    known = [value for value in values if value is not None]
    finite = [value for value in known if np.isfinite(value)]
    assert (found.rows, found.missing) == (len(values), len(values) - len(known))
    assert found.nan + found.infinite == len(known) - len(finite)
    assert (found.min, found.max) == (min(finite, default=None), max(finite, default=None))
    assert found.distinct == len({value for value in known if value == value})


@settings(max_examples=25, deadline=None)
@given(some.lists(FINITE, min_size=1, max_size=40), some.integers(1, 5))
def test_mean_and_sd_neither_overflow_nor_depend_on_the_parts(values, count):
    table = pa.table({"v": values})
    merged = merge(parts_of(table, count)).statistics().statistics.columns["v"]
    at_once = of(table).statistics().statistics.columns["v"]
    size = max(map(abs, values))
    assert np.isfinite([merged.mean, merged.sd]).all()
    assert merged.mean == pytest.approx(at_once.mean, rel=1e-9, abs=1e-9 * size)
    assert merged.sd == pytest.approx(at_once.sd, rel=1e-9, abs=1e-9 * size)


def test_a_sketch_survives_its_bytes(whole):
    again = read_sketch(whole.to_bytes(), sketches=SKETCHES)
    assert again.statistics() == whole.statistics()
    assert again.merge(again).rows == 2 * ROWS


def test_its_size_hardly_depends_on_the_rows():
    small, large = (len(of(mixed(rows=rows)).to_bytes()) for rows in (10_000, ROWS))
    assert large < 1.5 * small < 300_000


@pytest.mark.parametrize("data", [b"", b"text", b"\x80", None])
def test_bytes_of_something_else_are_refused(data, whole):
    found = whole.to_bytes()[:-200] if data is None else data
    with pytest.raises(DataError, match="TD-SKETCH-001"):
        read_sketch(found, sketches=SKETCHES)


def test_damage_inside_a_sketch_is_told_when_it_is_read(whole):
    data = whole.to_bytes().replace(b"tondo-sketch-1", b"tondo-sketch-9")
    with pytest.raises(DataError, match="TD-SKETCH-001: .*format"):
        read_sketch(data, sketches=SKETCHES)


def test_sketches_of_different_columns_are_not_merged():
    one, other = of(pa.table({"a": [1.0]})), of(pa.table({"a": ["x"], "b": [1.0]}))
    with pytest.raises(DataError, match="TD-SKETCH-002: .* differ in a, b"):
        one.merge(other)


def test_what_is_approximate_is_shown(about):
    assert "word: about, distinct, top" in repr(about)
    assert "flag: about" not in repr(about)


def test_without_the_library_the_extra_is_named(monkeypatch):
    name = "tondo.adapters.sketches.datasketches.sketches"
    monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "datasketches", None)
    with pytest.raises(MissingExtraError, match=r"tondo\[sketches\]"):
        __import__(name)
