"""Weights take the place of rows in the checks of presence, of domains and of how many rows."""

import pyarrow as pa
import pytest

from tondo.stages.data.constraints import ColumnSchema, Presence, RowsComparator
from tondo.stages.data.schema import Schema
from tondo.stages.data.statistics import statistics
from tondo.stages.data.validation import apply_patches, validate

# Rows 4, of weight 8; x is there in 3 rows of weight 2; s is 'b' in one row of weight 5.
TABLE = pa.table(
    {
        "x": [1.0, 2.0, 3.0, None],
        "s": ["a", "a", None, "b"],
        "w": [0.5, 1.0, 0.5, 6.0],
    }
)


def anomalies(engine, schema, *, weight="w", **beside):
    found = statistics(TABLE, engine=engine, weight=weight)
    reported = validate(found, schema, **beside)
    assert validate(found, apply_patches(schema, reported), **beside) == []
    return [(each.kind, each.numbers) for each in reported if each.kind != "new_column"]


def schema(column=None, **rules):
    columns = {} if column is None else {column: ColumnSchema(**rules)}
    return Schema(name="t", columns=columns)


@pytest.mark.parametrize(
    ("weight", "least", "expected"),
    [("w", 0.25, []), ("w", 0.26, [0.25]), (None, 0.75, []), (None, 0.76, [0.75])],
)
def test_the_share_of_values_is_that_of_their_weight(engine, weight, least, expected):
    wanted = schema("x", type="double", presence=Presence(min_fraction=least))
    found = anomalies(engine, wanted, weight=weight)
    assert [numbers["fraction"] for _, numbers in found] == expected


@pytest.mark.parametrize(("fewest", "expected"), [(2, []), (3, [("count_present", 2.0)])])
def test_the_count_of_values_is_their_weight(engine, fewest, expected):
    wanted = schema("x", type="double", presence=Presence(min_count=fewest))
    found = anomalies(engine, wanted)
    assert [(kind, numbers["present"]) for kind, numbers in found] == expected


@pytest.mark.parametrize(("mass", "expected"), [(0.2, []), (0.21, [0.2])])
def test_a_domain_is_met_by_weight(engine, mass, expected):
    # 'a' weighs 1.5 of the 7.5 that are there: a fifth, though it is two rows of three.
    wanted = schema("s", type="string", domain=("a",), min_domain_mass=mass)
    found = anomalies(engine, wanted)
    assert [numbers["mass"] for _, numbers in found] == expected


def test_values_without_weight_are_no_values(engine):
    table = pa.table({"x": [1.0, None], "w": [0.0, 2.0]})
    found = statistics(table, engine=engine, weight="w")
    wanted = schema("x", type="double", presence=Presence(min_count=1))
    reported = [each for each in validate(found, wanted) if each.column == "x"]
    assert [each.kind for each in reported] == ["not_present"]
    assert "have no weight" in reported[0].message


def test_rows_are_counted_by_weight(engine):
    few = Schema(name="t", columns={}, min_rows=9)
    assert anomalies(engine, few) == [("few_rows", {"rows": 8})]
    before = statistics(TABLE.slice(0, 3), engine=engine, weight="w")
    wanted = Schema(name="t", columns={}, rows_against_previous=RowsComparator(max_fraction=3.9))
    ((kind, numbers),) = anomalies(engine, wanted, previous=before)
    assert (kind, numbers["fraction"]) == ("more_rows_than", 4.0)


def test_sentences_say_that_they_count_weights(engine):
    wanted = schema("s", type="string", domain=("a",))
    found = statistics(TABLE, engine=engine, weight="w")
    message = next(each.message for each in validate(found, wanted) if each.column == "s")
    assert message.startswith("s: 6 of 7.5 values by weight (80 %) are not among the 1 known")
