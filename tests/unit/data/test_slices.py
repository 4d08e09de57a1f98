import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import CallerError, DefinitionError
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.ports.engine import FileTable
from tondo.stages.data.slices import slice_statistics
from tondo.stages.data.statistics import statistics

UTC = pa.timestamp("us", tz="UTC")
NUMBERS = st.sampled_from([None, 0.0, -0.0, 1.5, 2.5, -7.0, float("nan"), float("inf"), 1e300])
WORDS = st.sampled_from([None, "", "a b", "é", "12", "it's", "1.5e3"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": NUMBERS,
            "s": WORDS,
            "b": st.sampled_from([None, True, False]),
            "i": st.one_of(st.none(), st.integers(-(2**62), 2**62)),
            "ln": st.one_of(st.none(), st.lists(NUMBERS, max_size=3)),
            "ls": st.one_of(st.none(), st.lists(WORDS, max_size=3)),
        }
    ),
    max_size=9,
)
SCHEMA = pa.schema(
    {
        "n": pa.float64(),
        "s": pa.string(),
        "b": pa.bool_(),
        "i": pa.int64(),
        "ln": pa.list_(pa.float64()),
        "ls": pa.list_(pa.string()),
    }
)


@pytest.fixture(scope="module")
def narrow():
    opened = DuckDBEngine(threads=2, column_limit_mb=0)
    yield opened
    opened.close()


def flights(rows=2000):
    random = np.random.default_rng(3)
    return pa.table(
        {
            "carrier": pa.array(random.choice(["AA", "DL", "it's"], rows)),
            "origin": pa.array(random.choice(["EWR", "JFK", None], rows)),
            "delay": random.normal(size=rows).round(1),
            "at": pa.array(random.integers(0, 5, rows), UTC),
        }
    )


def same_as_filtered(table, slices, engine):
    """Compare each slice by values with a plain Python filter before statistics."""
    for name, found in slices.items():
        keep = [
            all(_shared(row[column]) == value for column, value in name)
            for row in table.select([column for column, _ in name]).to_pylist()
        ]
        alone = statistics(table.filter(pa.array(keep, pa.bool_())), engine=engine)
        assert found == alone
    return True


def _shared(value):
    if isinstance(value, float):
        return None if value != value else "inf" if value == float("inf") else value
    return value


def test_a_slice_by_value_has_the_numbers_of_its_rows_alone(engine):
    table = flights()
    found = slice_statistics(table, by=["carrier"], engine=engine)
    assert {name[0][1] for name in found} == {"AA", "DL", "it's"}
    assert same_as_filtered(table, found, engine)


def test_a_cross_of_columns_has_a_slice_for_each_pair_that_occurs(engine):
    table = flights()
    found = slice_statistics(table, by=[("carrier", "origin")], engine=engine)
    assert len(found) == 9
    assert (("carrier", "DL"), ("origin", None)) in found
    assert same_as_filtered(table, found, engine)


@settings(max_examples=6, deadline=None)
@given(rows=ROWS, by=st.sampled_from([["s"], ["n"], ["b", ("b", "s")], ["i"]]))
def test_slices_of_any_table_equal_filtering_first(engine, narrow, rows, by):
    table = pa.Table.from_pylist(rows, SCHEMA)
    found = slice_statistics(table, by=by, engine=engine)
    assert same_as_filtered(table, found, engine)
    assert slice_statistics(table, by=by, engine=narrow) == found


def test_a_predicate_makes_the_slice_of_rows_of_which_it_is_true(engine, narrow):
    table = flights()
    late = check(parse("delay > 0.5"), {"delay": "double"})
    where = {"late": late, "kennedy": "origin = 'JFK' and delay <= 0"}
    found = slice_statistics(table, where=where, engine=engine)
    alone = statistics(table.filter(pc.field("delay") > 0.5), engine=engine)
    assert found[(("late", True),)] == alone
    kennedy = (pc.field("origin") == "JFK") & (pc.field("delay") <= 0)
    assert found[(("kennedy", True),)] == statistics(table.filter(kennedy), engine=engine)
    assert slice_statistics(table, where=where, engine=narrow) == found


def test_the_largest_slices_come_first_and_small_ones_not_at_all(engine):
    table = pa.table({"k": ["a", "b", "b", "c", "c", "c"], "x": [1.0] * 6})
    rows = lambda **few: [  # noqa: E731 - said three times below
        (name[0][1], each.rows)
        for name, each in slice_statistics(table, by=["k"], engine=engine, **few).items()
    ]
    assert rows() == [("c", 3), ("b", 2), ("a", 1)]
    assert rows(most=1) == [("c", 3)]
    assert rows(least_rows=2) == [("c", 3), ("b", 2)]


def test_time_slices_are_named_in_microseconds(engine):
    found = slice_statistics(flights(), by=["at"], columns={"delay": "double"}, engine=engine)
    assert {name[0] for name in found} == {("at", micros) for micros in range(5)}
    assert all(list(each.columns) == ["delay"] for each in found.values())


def test_slices_of_files_equal_those_of_the_table_in_them(engine, tmp_path):
    table = flights()
    pq.write_table(table.slice(0, 700), tmp_path / "one.parquet")
    pq.write_table(table.slice(700), tmp_path / "two.parquet")
    types = {"carrier": "string", "origin": "string", "delay": "double", "at": "timestamp"}
    files = FileTable(paths=(tmp_path / "one.parquet", tmp_path / "two.parquet"), columns=types)
    asked = {"by": ["carrier", "origin"], "where": {"late": "delay > 1"}}
    assert slice_statistics(files, engine=engine, **asked) == slice_statistics(
        table, engine=engine, **asked
    )


def test_a_table_without_rows_has_no_slices(engine):
    table = flights(0)
    assert slice_statistics(table, by=["carrier"], where={"x": "delay > 0"}, engine=engine) == {}


def test_an_unknown_column_is_refused_with_near_names(engine):
    with pytest.raises(CallerError, match=r"TD-STATS-001.*'carier'") as caught:
        slice_statistics(flights(), by=["carier"], engine=engine)
    assert "'carrier'" in caught.value.fix


def test_lists_make_no_slices(engine):
    with pytest.raises(CallerError, match=r"TD-STATS-002.*list<double>"):
        slice_statistics(pa.table({"x": [[1.0]]}), by=["x"], engine=engine)


def test_a_cross_of_no_columns_is_refused(engine):
    with pytest.raises(CallerError, match=r"TD-STATS-002.*names no column"):
        slice_statistics(flights(), by=[()], engine=engine)


@pytest.mark.parametrize("text", ["delay + 1", "fill_mean(delay) > 0"])
def test_what_is_not_true_or_false_of_a_row_is_no_predicate(engine, text):
    with pytest.raises(DefinitionError, match=r"TD-STATS-003.*'late'"):
        slice_statistics(flights(), where={"late": text}, engine=engine)
