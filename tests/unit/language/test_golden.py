"""The edge table: text files of expression, row and value, held by every engine."""

from __future__ import annotations

import json
import math
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tondo.adapters.engines.duckdb.lowering import lower
from tondo.language.check import check
from tondo.language.functions import FUNCTIONS
from tondo.language.interpret import evaluate
from tondo.language.parse import parse
from tondo.language.rows import compile_rows
from tondo.language.tree import Call
from tondo.language.values import READERS

FOLDER = Path(__file__).parent / "golden"
ARROW = {
    "double": pa.float64(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "id": pa.int64(),
    "bool": pa.bool_(),
}
ARROW |= {f"list<{name}>": pa.list_(type_) for name, type_ in ARROW.items()}
WHOLE = {"timestamp": pa.int64(), "date": pa.int32()}
WHOLE |= {f"list<{name}>": pa.list_(type_) for name, type_ in WHOLE.items()}


def cases():
    for path in sorted(FOLDER.glob("*.txt")):
        columns = {}
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if line.startswith("columns: "):
                columns = dict(each.split(" ") for each in line[9:].split(", "))
            elif line and not line.startswith("#"):
                yield pytest.param(columns, *line.split(" | "), id=f"{path.stem}-{number}")


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(config={"threads": 1}) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def by_interpreter(node, columns, row, connection):
    return evaluate(node, row)


def by_rows(node, columns, row, connection):
    return compile_rows({"f": node})(row)[0]


def by_duckdb(node, columns, row, connection):
    connection.register("rows", table_of(columns, [row]))
    found = connection.sql(f"SELECT {lower(node)} AS f FROM rows").to_arrow_table()
    whole = WHOLE.get(node.type)
    return (found["f"].cast(whole) if whole else found["f"]).to_pylist()[0]


@pytest.fixture(scope="module")
def on_spark(spark):
    """Text and row to value: of each set of columns, all expressions over all rows at once."""
    asked = {}
    for columns, text, row, _ in (case.values for case in cases()):
        asked.setdefault(json.dumps(columns), []).append((text, row))
    found = {}
    for types, pairs in asked.items():
        columns = json.loads(types)
        rows = [json.loads(row) for _, row in pairs]
        trees = {text: check(parse(text), columns, text=text) for text, _ in pairs}
        answers = spark.evaluate(trees, table_of(columns, rows))
        for place, (text, row) in enumerate(pairs):
            whole = WHOLE.get(trees[text].type)
            column = answers[text].slice(place, 1)
            found[text, row] = (column.cast(whole) if whole else column).to_pylist()[0]
    return found


def table_of(columns, rows):
    return pa.table(
        {
            name: pa.array([READERS[type_](row.get(name), name) for row in rows], ARROW[type_])
            for name, type_ in columns.items()
        }
    )


@pytest.mark.parametrize("engine", [by_interpreter, by_rows, by_duckdb])
@pytest.mark.parametrize(("columns", "text", "row", "value"), list(cases()))
def test_the_edge_has_this_value_on_every_engine(engine, columns, text, row, value, connection):
    node = check(parse(text), columns, text=text)
    assert_value(node, engine(node, columns, json.loads(row), connection), value)


@pytest.mark.parametrize(("columns", "text", "row", "value"), list(cases()))
def test_the_edge_has_this_value_on_spark(columns, text, row, value, on_spark):
    assert_value(check(parse(text), columns, text=text), on_spark[text, row], value)


def assert_value(node, found, value):
    wanted = READERS[node.type](json.loads(value), "value")
    assert type(found) is type(wanted)
    if isinstance(node, Call) and FUNCTIONS[node.function].ulp and wanted is not None:
        assert abs(found - wanted) <= 4 * math.ulp(wanted)
    else:
        assert found == wanted
        assert repr(found) == repr(wanted)  # tells 0.0 from -0.0
