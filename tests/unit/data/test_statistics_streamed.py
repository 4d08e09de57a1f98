"""Columns larger than memory: the same figures, to the bit, as of a column held in memory."""

import numpy as np
import pyarrow as pa
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.core.errors import PlatformError
from tondo.stages.data.statistics import statistics

ROWS = 300_000


@pytest.fixture(scope="module")
def streaming():
    # Runs of 65,536 values, each merged in four pieces.
    opened = DuckDBEngine(threads=2, column_limit_mb=0)
    yield opened
    opened.close()


def same(values, engine, streaming):
    table = pa.table({"v": values})
    return statistics(table, engine=streaming) == statistics(table, engine=engine)


def random():
    return np.random.default_rng(5)


def test_doubles_of_many_runs_are_told_as_from_memory(engine, streaming):
    values = random().normal(size=ROWS)
    assert same(values, engine, streaming)


def test_whole_numbers_that_repeat_across_runs_are_counted_once(engine, streaming):
    values = random().integers(-40, 40, ROWS)
    table = pa.table({"v": values})
    found = statistics(table, engine=streaming).columns["v"]
    unique, counts = np.unique(values, return_counts=True)
    assert found.distinct == len(unique)
    assert found.top[0] == (int(unique[counts.argmax()]), int(counts.max()))
    assert same(values, engine, streaming)


def test_ties_among_the_most_frequent_go_to_the_least_values(engine, streaming):
    values = random().permutation(np.arange(ROWS) // 2)
    table = pa.table({"v": values})
    top = statistics(table, engine=streaming).columns["v"].top
    assert [value for value, _ in top] == list(range(20))
    assert same(values, engine, streaming)


def test_nulls_nan_and_infinities_are_kept_apart(engine, streaming):
    values = random().normal(size=ROWS)
    values[::7], values[::11], values[::13], values[::17] = np.nan, np.inf, -np.inf, 0.0
    column = pa.array(values, mask=random().random(ROWS) < 0.1)
    assert same(column, engine, streaming)


def test_one_value_and_no_value_at_all_are_told(engine, streaming):
    assert same(np.full(ROWS, 7.5), engine, streaming)
    assert same(np.full(ROWS, np.nan), engine, streaming)
    assert same(np.full(ROWS, np.inf), engine, streaming)
    assert same(pa.nulls(ROWS, pa.float64()), engine, streaming)


def test_sorted_and_reversed_runs_that_do_not_overlap_are_merged(engine, streaming):
    assert same(np.arange(ROWS) * 0.1, engine, streaming)
    assert same(np.arange(ROWS)[::-1] * 1_000_003, engine, streaming)


def test_times_are_streamed_as_microseconds(engine, streaming):
    micros = random().integers(0, 10**16, ROWS)
    assert same(pa.array(micros, pa.timestamp("us", tz="UTC")), engine, streaming)


def test_the_runs_go_when_the_column_is_done(tmp_path):
    opened = DuckDBEngine(threads=1, column_limit_mb=0, temp_directory=tmp_path / "spill")
    statistics(pa.table({"v": np.arange(ROWS)}), engine=opened)
    opened.close()
    assert not list((tmp_path / "spill").glob("runs-*"))


def test_no_room_for_runs_is_told_with_a_code(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    opened = DuckDBEngine(threads=1, column_limit_mb=0, temp_directory=blocked)
    with pytest.raises(PlatformError, match="TD-ENGINE-003"):
        statistics(pa.table({"v": np.arange(ROWS)}), engine=opened)
    opened.close()
