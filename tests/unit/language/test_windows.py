"""Windows: exact integers, one last division; judged by fractions, statistics and DuckDB."""

from __future__ import annotations

import math
import random
import statistics
from fractions import Fraction

import duckdb
import pytest

from tondo.adapters.engines.duckdb.lowering import quantised_sql, unquantisable_sql
from tondo.adapters.engines.duckdb.lowering_emitter import double_sql
from tondo.core.errors import DataError, DefinitionError
from tondo.language.check import check_window
from tondo.language.distinct import HASH_DIGITS, merged, register_and_rank, sketch_of
from tondo.language.parse import parse_window
from tondo.language.rows import compile_rows
from tondo.language.tree import Column, WindowCall
from tondo.language.walk import from_json, to_json
from tondo.language.windows import (
    LARGEST,
    aggregate,
    arguments_of,
    finish,
    quantise,
    quantise_for,
    window_start_us,
)

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


def window(text, columns=("x", "y")):
    return check_window(parse_window(text), dict.fromkeys(columns, "double"), text=text)


def test_the_latest_come_first_and_the_first_of_them_is_the_last():
    events = [1.0, None, 2.0, 3.0]
    assert aggregate(window("last_k(x, 2) over 1h"), events) == [3.0, 2.0]
    assert aggregate(window("last_k(x, 9) over 1h"), events) == [3.0, 2.0, 1.0]
    assert aggregate(window("last_k(x, 9) over 1h"), [None]) == []
    assert window("last_k(x, 2) over 1h").type == "list<double>"


def test_different_values_are_counted_once_and_zeros_are_one_value():
    events = [0.0, -0.0, 1.0, None, 1.0]
    for function in ("count_distinct", "approx_count_distinct"):
        assert aggregate(window(f"{function}(x) over 1h"), events) == 2.0
        assert aggregate(window(f"{function}(x) over 1h"), [None]) == 0.0


@pytest.mark.parametrize("n", [1, 30, 400, 4096, 20_000, 100_000])
def test_a_sketch_is_within_five_standard_errors(n):
    for kind in (str, float, int):
        found = aggregate(
            window("approx_count_distinct(x) over 1h"), [kind(each) for each in range(n)]
        )
        assert abs(found - n) <= max(1, 5 * 1.04 / 64 * n)


def test_sketches_merge_to_the_sketch_of_all():
    parts = [range(900), range(600, 2000), range(1999, 2001)]
    assert merged(map(sketch_of, parts)) == sketch_of(range(2001))


def test_duckdb_chooses_the_same_registers():
    values = ["", "a", "ä\U0001f600", "x" * 300]
    for value in values:
        bits = duckdb.execute(
            f"SELECT ('0x' || substr(md5(?), 1, {HASH_DIGITS}))::BIGINT", [value]
        ).fetchone()[0]
        assert register_and_rank(value)[0] == bits >> 48


def test_a_ratio_is_one_division_over_the_events_that_have_both():
    call = window("ratio(x, y) over 1h")
    units = [(quantise(a), quantise(b)) for a, b in ((0.1, 3.0), (0.2, -1.0))]
    exact = Fraction(sum(a for a, _ in units), sum(b for _, b in units))
    assert aggregate(call, [None, *units]) == float(exact)
    assert aggregate(call, [(1, 5), (1, -5)]) is None
    assert aggregate(call, [None]) is None
    assert str(aggregate(call, [(0, -5)])) == "0.0"


def test_a_ratio_leaves_an_event_out_when_either_is_null_or_infinite():
    above, below = (
        compile_rows({"a": each}) for each in arguments_of(window("ratio(x, y) over 1h"))
    )
    for x, y in ((1.0, None), (None, 1.0), (math.inf, 1.0), (1.0, -math.inf)):
        assert (above({"x": x, "y": y}), below({"x": x, "y": y})) == ([None], [None])
    assert (above({"x": 2.0, "y": 0.0}), below({"x": 2.0, "y": 0.0})) == ([2.0], [0.0])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("last_k(x) over 1h", "TD-LANG-001"),
        ("last_k(x, 0) over 1h", "TD-LANG-001"),
        ("last_k(x, 1001) over 1h", "TD-LANG-001"),
        ("last_k(x, 2.5) over 1h", "TD-LANG-001"),
        ("last_k(x, y) over 1h", "TD-LANG-001"),
        ("ratio(x) over 1h", "TD-LANG-001"),
        ("ratio(x, 'a') over 1h", "TD-LANG-007"),
        ("avg(x, y) over 1h", "TD-LANG-001"),
        ("avg(x) over 7d tiles", "TD-CORE-002"),
        ("avg(x) over tiles 1h", "TD-CORE-002"),
        ("avg(x) over 7d tiles 7m", "TD-LANG-021"),
        ("avg(x) over 7d tiles 36h", "TD-LANG-021"),
        ("avg(x) over 1h tiles 2h", "TD-LANG-021"),
        ("count_distinct(x) over 7d tiles 1h", "TD-LANG-021"),
    ],
)
def test_a_window_that_means_nothing_is_refused(text, code):
    with pytest.raises(DefinitionError, match=code):
        window(text)


def test_a_tiled_window_begins_at_a_boundary_also_before_1970():
    call = window("avg(x) over 2h tiles 1h scale=8")
    hour = 3_600_000_000
    assert (call.tile_us, call.scale_bits, call.reach_us) == (hour, 8, 3 * hour)
    starts = [window_start_us(call, at) for at in (3 * hour, 3 * hour + 1, 4 * hour - 1, 1)]
    assert starts == [hour, hour, hour, -2 * hour]


def test_a_stored_window_is_checked_again():
    call = window("ratio(x, x + y) over 7d tiles 1h")
    assert from_json(to_json(call)) == call
    stored = to_json(call)
    stored["tree"]["divisor"]["function"] = "upper"
    with pytest.raises(DataError, match="TD-LANG-009"):
        from_json(stored)
