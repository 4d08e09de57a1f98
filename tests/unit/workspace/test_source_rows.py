"""The rows behind a value, against a filter over the whole table."""

from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tondo.core.instants import from_micros
from tondo.ports.engine import FileTable
from tondo.workspace.source_rows import newest_row, rows_in_window, rows_of_key

START_US = 1_364_774_400_000_000
HOUR_US = 3_600_000_000
COLUMNS = {"origin": "string", "at": "timestamp", "delay": "double"}


@pytest.fixture(scope="module")
def whole():
    made = random.Random(5)
    return pa.table(
        {
            "origin": [made.choice(["EWR", "JFK", "LGA"]) for _ in range(600)],
            "at": pa.array(
                [START_US + place * HOUR_US // 7 for place in range(600)],
                pa.timestamp("us", tz="UTC"),
            ),
            "delay": [made.gauss(0, 20) for _ in range(600)],
        }
    )


@pytest.fixture(scope="module")
def source(whole, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    paths = []
    for place in range(6):
        path = folder / f"{place}.parquet"
        pq.write_table(whole.slice(place * 100, 100), path, row_group_size=40)
        paths.append(path)
    return FileTable(paths=tuple(reversed(paths)), columns=COLUMNS)


def wanted(whole, first_us, last_us, origin="JFK"):
    at = whole.column("at")
    kept = pc.and_(
        pc.equal(whole.column("origin"), origin),
        pc.and_(
            pc.greater_equal(at, from_micros(first_us)), pc.less_equal(at, from_micros(last_us))
        ),
    )
    return whole.filter(kept).sort_by([("at", "descending")])


@pytest.mark.parametrize("hours", [0, 1, 30, 85, 200])
def test_a_window_holds_its_start_and_not_its_end(whole, source, hours):
    end_us = START_US + hours * HOUR_US
    found = rows_in_window(
        source, "origin", "JFK", time="at", start_us=end_us - 3 * HOUR_US, end_us=end_us
    )
    assert found.to_pylist() == wanted(whole, end_us - 3 * HOUR_US, end_us - 1).to_pylist()


@pytest.mark.parametrize("hours", [-1, 0, 1, 30, 85, 200])
def test_the_newest_row_is_not_after_the_instant(whole, source, hours):
    until_us = START_US + hours * HOUR_US
    found = newest_row(source, "origin", "JFK", time="at", until_us=until_us)
    assert found.to_pylist() == wanted(whole, START_US, until_us).slice(0, 1).to_pylist()


def test_few_row_groups_are_read_for_the_newest_row(source, monkeypatch):
    import tondo.workspace.source_rows as source_rows

    groups = []
    read = source_rows._read
    monkeypatch.setattr(source_rows, "_read", lambda g, c, k: (groups.append(g), read(g, c, k))[1])
    newest_row(source, "origin", "JFK", time="at", until_us=START_US + 50 * HOUR_US)
    assert len(groups) == 1


def test_a_key_without_time_has_all_its_rows(whole, source):
    assert rows_of_key(source, "origin", "LGA").num_rows == sum(
        each == "LGA" for each in whole.column("origin").to_pylist()
    )
    assert rows_of_key(source, "origin", "AAA").num_rows == 0
