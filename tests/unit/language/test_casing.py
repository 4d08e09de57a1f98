"""The table of cases is ours: the same in every engine for every code point there is."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from tondo.adapters.engines.duckdb.lowering import lower as lower_tree
from tondo.language.functions import FUNCTIONS
from tondo.language.tree import Call, Column

TEXTS = [f"{chr(n)}a" for n in range(0x110000) if not 0xD800 <= n <= 0xDFFF]


@pytest.mark.parametrize("name", ["lower", "upper"])
def test_duckdb_maps_every_code_point_as_the_table_does(name):
    table = pa.table({"s": TEXTS})
    tree = Call(name, (Column("s", "string"),), "string")
    with duckdb.connect() as connection:
        connection.register("texts", table)
        found = (
            connection.sql(f"SELECT {lower_tree(tree)} AS f FROM texts")
            .to_arrow_table()["f"]
            .to_pylist()
        )
    kernel = FUNCTIONS[name].kernel
    assert found == [kernel(each) for each in TEXTS]


def test_one_code_point_becomes_one():
    for name in ("lower", "upper"):
        assert all(len(FUNCTIONS[name].kernel(each)) == 2 for each in TEXTS)
