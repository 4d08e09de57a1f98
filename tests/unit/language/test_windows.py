"""Windows: exact integers, one last division; judged by fractions, statistics and DuckDB."""

from __future__ import annotations

import random
import statistics
from fractions import Fraction

import duckdb
import pytest

from tondo.adapters.engines.duckdb.lowering import quantised_sql, unquantisable_sql
from tondo.adapters.engines.duckdb.lowering_emitter import double_sql
from tondo.core.errors import DataError
from tondo.language.tree import Column, WindowCall
from tondo.language.windows import LARGEST, aggregate, finish, quantise, quantise_for

X = Column("x", "double")
HARD = [
    0.0,
    -0.0,
    0.1,
    -0.1,
    2.0**-21,
    -(2.0**-21),
    3 * 2.0**-21,
    5e-324,
    1e15 + 0.3,
    2.0**80,
    -(2.0**80),
    123456.789,
]


def call(function, *, scale=20):
    return WindowCall(function, X, 1, scale, "double")


@pytest.mark.parametrize("scale", [0, 20, 30])
def test_duckdb_rounds_to_the_same_units(scale):
    found = [
        duckdb.sql(f"SELECT {quantised_sql(double_sql(each), scale)}").fetchall()[0][0]
        for each in HARD
    ]
    assert found == [quantise(each, scale) for each in HARD]


def test_rounding_is_half_away_from_zero():
    for value in HARD:
        exact = Fraction(value) * 2**20
        assert abs(Fraction(quantise(value)) - exact) <= Fraction(1, 2)
    assert quantise(2.0**-21) == 1
    assert quantise(-(2.0**-21)) == -1


@pytest.mark.parametrize("value", [2.0**81, float("inf"), float("nan")])
def test_what_cannot_be_summed_exactly_is_refused(value):
    with pytest.raises(DataError, match="TD-LANG-012"):
        quantise(value)


def test_duckdb_finds_what_cannot_be_summed():
    query = f"SELECT {unquantisable_sql('x')} FROM (VALUES ({double_sql(2.0**81)}), ({double_sql(LARGEST)}), (NULL)) v(x)"
    assert [row[0] for row in duckdb.sql(query).fetchall()] == [True, False, False]


def test_stddev_refuses_smaller_values_than_sums_do():
    with pytest.raises(DataError, match="TD-LANG-012"):
        quantise_for(call("stddev"), 2.0**33)
    assert quantise_for(call("sum"), 2.0**33) == 2**53


def test_every_order_gives_the_same_bits():
    values = [quantise(random.Random(seed).uniform(-1e6, 1e6)) for seed in range(500)]
    shuffled = random.Random(1).sample(values, len(values))
    for function in ("sum", "avg", "stddev"):
        assert aggregate(call(function), values) == aggregate(call(function), shuffled)


def test_mean_and_deviation_agree_with_the_standard_library():
    raw = [random.Random(seed).uniform(-50, 50) for seed in range(200)]
    units = [quantise(each) for each in raw]
    assert aggregate(call("avg"), units) == pytest.approx(statistics.fmean(raw), abs=2e-6)
    assert aggregate(call("stddev"), units) == pytest.approx(statistics.stdev(raw), abs=2e-6)


def test_an_empty_window_is_null_but_counts_zero():
    assert [aggregate(call(each), []) for each in ("sum", "avg", "min", "last", "count")] == [
        None
    ] * 4 + [0.0]


def test_one_value_has_no_deviation():
    assert aggregate(call("stddev"), [5]) is None
    assert aggregate(call("stddev"), [5, 5]) == 0.0


def test_nulls_are_left_out_but_by_count_of_rows():
    events = [None, 3.0, None, 1.0, None]
    assert aggregate(call("first"), events) == 3.0
    assert aggregate(call("last"), events) == 1.0
    assert aggregate(call("max"), events) == 3.0
    assert aggregate(call("count"), events) == 2.0
    assert aggregate(WindowCall("count", None, 1), events) == 5.0


def test_the_finisher_divides_once():
    n, total = 3, 2**60 + 1
    assert finish(call("avg"), n, total, 0) == float(Fraction(total, n * 2**20))
