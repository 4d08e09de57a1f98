"""Trees computed together in layers answer what each answers alone."""

from __future__ import annotations

import math

import duckdb
import pyarrow as pa
import pytest

from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.engines.duckdb.lowering import lower
from tondo.adapters.engines.duckdb.lowering_layers import select
from tondo.language.check import check
from tondo.language.parse import parse

COLUMNS = {
    "c1": "double", "C2": "double", "v1": "double", "s": "string", "t": "timestamp", "d": "date",
    "k": "id", "b": "bool", "xs": "list<double>", "ts": "list<timestamp>", 'a "b"': "double",
}  # fmt: skip
ROWS = pa.table(
    {
        "c1": [1.5, math.nan, math.inf, None, -0.0],
        "C2": [0.0, 2.0, -math.inf, 1e308, math.nan],
        "v1": [1, None, 3, 4, 5],
        "s": ["İA", None, "", "straße", "a"],
        "t": pa.array([0, 1362898800000000, None, 2**62, -1], pa.timestamp("us", tz="UTC")),
        "d": pa.array([0, None, 15796, -719162, 2932896], pa.date32()),
        "k": pa.array([1, 2**62, None, -1, 0], pa.int64()),
        "b": [True, False, None, True, False],
        "xs": [[1.0, math.nan, math.inf], [], None, [None], [2.0]],
        "ts": pa.array([[0, None], [], None, [1], [2]], pa.list_(pa.timestamp("us", tz="UTC"))),
        'a "b"': [1.0, 2.0, 3.0, 4.0, 5.0],
    }
)
TEXTS = [
    "c1", "C2", "v1 + c1", "c1 / c2x", "coalesce(c1, C2)", "c1 - c1 is null", "round(c1 * 3, 1)", "clip(c1, C2, v1)",
    "hour(t, 'America/New_York')", "day(t, 'America/New_York')", "hour(t + interval '1 hour', 'America/New_York')",
    "hour(t, 'UTC')", "date_trunc('day', t, 'America/New_York')", "t", "d", "ts", "xs", "sum(xs)", "lower(s)", "s", "k", "b",
    "cast(t as date)", "case when b then 1 end", "case when b then c1 else 2 end", "bucketize(c1, 0, 1)", "length(s) / 0",
    '"a ""b""" * 2', "1 / 0", "null = 1", "5", "position_in(s, 'a', 'b')", "greatest(c1, C2)", "nullif(c1, 1.5)", "k in (1, 2)",
]  # fmt: skip
TREES = {
    text: check(parse(text.replace("c2x", "C2")), COLUMNS, text=text.replace("c2x", "C2"))
    for text in TEXTS
}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        opened.register("rows", ROWS)
        yield opened


def plain(table):
    """The columns as text, which also tells -0.0 and times that Python cannot hold."""
    return [str(column.combine_chunks()) for column in table.columns]


def test_layers_answer_what_each_expression_answers_alone(connection):
    alone = ", ".join(f"{lower(node)} AS f{place}" for place, node in enumerate(TREES.values()))
    wanted = connection.sql(f"SELECT {alone} FROM rows").to_arrow_table()
    found = connection.sql(select(TREES, "rows")).to_arrow_table()
    assert found.column_names == TEXTS
    assert found.schema.types == wanted.schema.types
    assert plain(found) == plain(wanted)


@pytest.mark.parametrize("text", TEXTS)
def test_one_expression_in_layers_answers_what_it_answers_alone(connection, text):
    wanted = connection.sql(f"SELECT {lower(TREES[text])} AS f FROM rows").to_arrow_table()
    assert plain(connection.sql(select({text: TREES[text]}, "rows")).to_arrow_table()) == plain(
        wanted
    )


def test_kept_columns_stay_as_they_are_beside_expressions_of_any_name():
    engine = DuckDBEngine(threads=1)
    trees = {"first": TREES["v1 + c1"], "c3": TREES["C2"]}
    found = engine.evaluate(trees, ROWS, keep=["c1", "s", "C2"])
    assert found.column_names == ["c1", "s", "C2", "first", "c3"]
    assert repr(found["c1"].to_pylist()) == repr(ROWS["c1"].to_pylist())
    assert engine.evaluate({}, ROWS, keep=["s"]).column_names == ["s"]
    assert engine.evaluate({"one": TREES["5"]}, ROWS)["one"].to_pylist() == [5.0] * 5
    engine.close()
