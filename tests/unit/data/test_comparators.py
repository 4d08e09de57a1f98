"""Comparing with a control batch that has nothing to compare with."""

import pytest

from tondo.stages.data.constraints import Comparator
from tondo.stages.data.schema import ColumnSchema, Schema
from tondo.stages.data.statistics import ColumnStatistics, Statistics
from tondo.stages.data.validation import validate

SCHEMA = Schema(name="t", columns={"c": ColumnSchema(type="id", drift=Comparator(l_infinity=0.2))})


def batch(**columns):
    return Statistics(rows=3, columns=columns)


@pytest.mark.parametrize(("missing", "kinds"), [(3, []), (2, ["control_missing"])])
def test_a_control_without_the_column_is_told_only_where_there_is_something_to_compare(
    missing, kinds
):
    column = ColumnStatistics(type="id", rows=3, missing=missing)
    found = validate(batch(c=column), SCHEMA, previous=batch())
    assert [each.kind for each in found] == kinds
