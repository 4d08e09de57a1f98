"""Lists, texts, weights and columns that do not fit in memory."""

from collections import Counter

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import CallerError, DataError
from tondo.stages.data.statistics import ColumnStatistics, statistics

RANDOM = np.random.default_rng(5)
LISTS = [RANDOM.normal(size=size).round(1).tolist() for size in RANDOM.integers(0, 30, 500)]


def of(engine, column, **asked):
    return statistics(pa.table({"x": column}), engine=engine, **asked).columns["x"]


def test_valency_counts_values_of_lists_that_are_there(engine):
    found = of(engine, pa.array([*LISTS, None, [float("nan"), None]]))
    sizes = [len(each) for each in LISTS] + [2]
    valency = found.valency
    assert (found.rows, found.missing, found.empty) == (502, 1, sizes.count(0))
    assert (valency.min, valency.max, valency.total) == (0, max(sizes), sum(sizes))
    assert valency.mean == pytest.approx(np.mean(sizes), rel=1e-12)
    assert (found.items.rows, found.items.nan, found.items.missing) == (sum(sizes), 1, 1)


def test_the_histogram_of_valency_has_ten_buckets_of_equal_count(engine):
    sizes = sorted(len(each) for each in LISTS)
    histogram = of(engine, pa.array(LISTS)).valency.histogram
    assert [bucket[2] for bucket in histogram] == [50] * 10
    deciles = [np.quantile(sizes, part / 10, method="inverted_cdf") for part in range(11)]
    assert [bucket[0] for bucket in histogram] == deciles[:-1]
    assert [bucket[1] for bucket in histogram] == deciles[1:]


def test_the_items_of_lists_have_the_statistics_of_one_column(engine):
    items = pa.array([item for each in LISTS for item in each])
    assert of(engine, pa.array(LISTS)).items == of(engine, items)


def test_the_items_of_lists_of_texts_are_counted(engine):
    words = [["a", "b"], [], None, ["b", None, "b c"]]
    found = of(engine, pa.array(words))
    assert found.items.top == (("b", 2), ("a", 1), ("b c", 1))
    assert (found.items.distinct, found.items.missing, found.items.tokens.max) == (3, 1, 2)


def test_numbers_have_a_histogram_of_equal_counts(engine):
    values = RANDOM.normal(size=1003)
    histogram = of(engine, values).quantile_histogram
    assert sum(bucket[2] for bucket in histogram) == 1003
    assert {bucket[2] for bucket in histogram} == {100, 101}
    assert (histogram[0][0], histogram[-1][1]) == (values.min(), values.max())
    assert histogram[4][1] == np.quantile(values, 0.5, method="inverted_cdf")


def test_tokens_are_what_python_splits(engine):
    spaces = [chr(code) for code in range(0x3001) if chr(code).isspace()]
    texts = [f" a{space}b{space}{space}c" for space in spaces] + ["", " ", "one"]
    found = of(engine, pa.array(texts))
    sizes = [len(text.split()) for text in texts]
    assert (found.tokens.min, found.tokens.max, found.tokens.total) == (0, 3, sum(sizes))
    assert found.tokens.mean == pytest.approx(np.mean(sizes))


@pytest.mark.parametrize(
    ("texts", "integer", "number"),
    [
        (["1", "-20", "+3", None, str(2**63 - 1)], True, True),
        ([str(2**63)], False, True),
        (["1.5", ".5", "2.", "1e-3"], False, True),
        (["1e999"], False, False),
        (["1", ""], False, False),
        ([" 1"], False, False),
        (["1_000"], False, False),
        (["0x1f"], False, False),
        (["nan"], False, False),
        (["\u0661"], False, False),
        ([None], False, False),
    ],
)
def test_texts_that_read_as_numbers_are_known(engine, texts, integer, number):
    found = of(engine, pa.array(texts, pa.string()))
    assert (found.integer_text, found.number_text) == (integer, number)


def test_weighted_moments_and_counts_equal_numpy(engine):
    values, weights = RANDOM.normal(size=400).round(1), RANDOM.random(400)
    table = pa.table({"x": pa.array([*values, None, 7.0]), "w": pa.array([*weights, 0.5, None])})
    found = statistics(table, engine=engine, weight="w").columns["x"].weighted
    x, w = np.append(values, 7.0), np.append(weights, 1.0)
    mean = np.average(x, weights=w)
    assert (found.rows, found.missing) == (pytest.approx(w.sum() + 0.5), 0.5)
    assert found.mean == pytest.approx(mean, rel=1e-9)
    assert found.sd == pytest.approx(np.sqrt(np.average((x - mean) ** 2, weights=w)), rel=1e-9)
    sums = Counter()
    for value, weight in zip(x.tolist(), w.tolist(), strict=True):
        sums[value] += weight
    assert dict(found.top) == pytest.approx(dict(sums.most_common(20)))


def test_weighted_texts_and_lists_are_counted(engine):
    table = pa.table({"s": ["a", "b", None], "l": [["x"], None, []], "w": [1.0, 2.5, 0.5]})
    columns = statistics(table, engine=engine, weight="w").columns
    assert columns["s"].weighted.top == (("b", 2.5), ("a", 1.0))
    assert (columns["s"].weighted.missing, columns["l"].weighted.missing) == (0.5, 2.5)


@pytest.mark.parametrize("weight", [-1.0, float("inf")])
def test_a_weight_below_zero_or_without_end_is_refused(engine, weight):
    table = pa.table({"x": [1.0, 2.0], "w": [1.0, weight]})
    with pytest.raises(DataError, match=r"TD-STATS-004.*'w'"):
        statistics(table, engine=engine, weight="w")


def test_a_text_cannot_weigh_rows(engine):
    with pytest.raises(CallerError, match=r"TD-STATS-002.*'x'"):
        statistics(pa.table({"x": ["a"]}), engine=engine, weight="x")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([*RANDOM.normal(size=200_000), None, np.nan, np.inf, -np.inf, 0.0, -0.0]),
        pa.array(RANDOM.integers(0, 50, 200_000).astype(float)),
        pa.array([*RANDOM.integers(-(2**62), 2**62, 1000), None]),
        pa.array([5, 1, None], pa.timestamp("us", tz="UTC")),
        pa.array([*LISTS, None]),
        pa.array([-1.7e308, 1.7e308]),
        pa.array([], pa.float64()),
    ],
    ids=["normal", "few values", "id", "time", "lists", "wide", "no rows"],
)
def test_a_column_that_does_not_fit_has_the_same_numbers_to_the_last_bit(engine, column):
    narrow = DuckDBEngine(threads=2, column_limit_mb=0)
    try:
        assert of(narrow, column) == of(engine, column)
    finally:
        narrow.close()


def test_statistics_kept_before_lists_had_items_are_still_read():
    kept = {"type": "list<double>", "rows": 2, "missing": 0, "length": {"min": 0, "max": 1}}
    kept["length"]["mean"] = 0.5
    found = msgspec.convert(kept, ColumnStatistics)
    assert (found.items, found.length.total, found.valency) == (None, None, None)


def test_valency_and_top_values_are_shown(engine):
    table = pa.table({"l": [[1.0, 2.0], [3.0]], "s": ["a b", "c"]})
    shown = repr(statistics(table, engine=engine))
    assert "1 to 2 items of 1 to 3" in shown
    assert "a b 50.0 %, c 50.0 %" in shown
