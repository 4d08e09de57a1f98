"""Many columns read together: each is told as a plain loop tells it, and as one read alone."""

import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ports.engine import FileTable

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "a", "A", "7", "-3", "1.5", ".5", "1e400", "a b", "ä", "\u2003x"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
)


@pytest.fixture(scope="module")
def alone():
    # No room to hold anything: every column is asked for by itself.
    opened = DuckDBEngine(threads=1, column_limit_mb=0)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def together():
    opened = DuckDBEngine(threads=1)
    yield opened
    opened.close()


def texts(columns):
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def told(values, labels):
    """Say what a loop finds in texts."""
    present = [each for each in values if each is not None]
    ordered = sorted(Counter(present).items(), key=lambda pair: (-pair[1], pair[0].encode()))
    return {
        "rows": len(values),
        "missing": len(values) - len(present),
        "distinct": len(ordered),
        "top": [list(pair) for pair in ordered[:labels]],
        "empty": present.count(""),
        "length": sum(map(len, present)),
        "tokens": sum(len(each.split()) for each in present),
    }


@given(st.lists(st.lists(TEXTS, min_size=4, max_size=4), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_texts_read_together_are_told_as_by_a_loop_and_as_alone(together, alone, columns):
    named = {f"c{place}": values for place, values in enumerate(columns)}
    types = dict.fromkeys(named, "string")
    found = together.profile(texts(named), types, labels=3)
    for name, values in named.items():
        shown = found[name] | {each: found[name][each]["total"] for each in ("length", "tokens")}
        wanted = told(values, 3)
        assert {each: shown[each] for each in wanted} == wanted
    assert plain(found) == plain(alone.profile(texts(named), types, labels=3))


def plain(profile):
    return json.loads(json.dumps(profile))


MIXED = pa.table(
    {
        "word": pa.array(["b", "a", None, "b", ""]),
        "number": pa.array([0.5, None, float("nan"), float("inf"), -0.0]),
        "flag": pa.array([True, None, False, True, True]),
        "none": pa.array([None] * 5, pa.string()),
        "list": pa.array([[1.0], None, [], [2.0, None], [3.0]]),
        "key": pa.array([3, 1, None, 3, 2]),
    }
)
TYPES = {
    "word": "string",
    "number": "double",
    "flag": "bool",
    "none": "string",
    "list": "list<double>",
    "key": "id",
}


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_columns_of_every_type_are_told_as_alone_and_in_their_order(together, alone, rows):
    table = MIXED.slice(0, rows)
    found = together.profile(table, TYPES)
    assert list(found) == list(TYPES)
    assert plain(found) == plain(alone.profile(table, TYPES))


def test_files_are_told_as_the_table_that_they_hold(together, tmp_path):
    path = tmp_path / "mixed.parquet"
    pq.write_table(MIXED, path)
    files = FileTable(paths=(path,), columns=TYPES)
    assert plain(together.profile(files, TYPES)) == plain(together.profile(MIXED, TYPES))


def test_more_columns_than_one_question_asks_for_are_all_told(together):
    named = {f"c{place}": [str(place), "x", None] for place in range(1100)}
    found = together.profile(texts(named), dict.fromkeys(named, "string"))
    assert len(found) == 1100
    assert all([str(place), 1] in found[f"c{place}"]["top"] for place in range(1100))


def test_columns_too_large_to_be_held_together_are_halved_down_to_one(together):
    # 16 KiB for all values that are held at once: the long texts do not fit even alone.
    narrow = DuckDBEngine(threads=1, column_limit_mb=1 / 16)
    long = {f"l{place}": [f"{each}{'x' * 2000}" for each in range(20)] for place in range(3)}
    short = {f"s{place}": [str(each % 3) for each in range(20)] for place in range(3)}
    table = texts(long | short)
    types = dict.fromkeys(table.column_names, "string")
    assert plain(narrow.profile(table, types)) == plain(together.profile(table, types))
    narrow.close()


def test_names_that_differ_in_case_alone_are_columns_of_their_own(together):
    table = pa.table({"a": [1.0, 2.0], "A": [5.0, 6.0], "t": ["x", "y"], "T": ["z", None]})
    types = {"a": "double", "A": "double", "t": "string", "T": "string"}
    found = together.profile(table, types)
    assert [found[name]["top"][0][0] for name in types] == [1.0, 5.0, "x", "z"]
