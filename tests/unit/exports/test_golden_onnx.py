"""The language's edge table, answered by onnxruntime: equal, or refused by name."""

import json
import sys
from pathlib import Path

import pytest

from tondo.language.check import check
from tondo.language.parse import parse

ROOT = Path(__file__).parents[3]
PLACES = [str(ROOT), str(ROOT / "tests" / "unit" / "language")]
sys.path[:0] = PLACES
try:
    from benchmarks.language_equality.exported import evaluated, exportable, refusals
    from test_golden import assert_value, cases
finally:
    for place in PLACES:
        sys.path.remove(place)

LEAST_EDGES = 400
"""Edges that the exporter answered when this was written."""


def parts():
    for case in cases():
        columns, text, row, value = case.values
        yield pytest.param(check(parse(text), columns, text=text), row, value, id=case.id)


EXPORTABLE = [case for case in parts() if exportable(case.values[0])]


@pytest.mark.parametrize(("node", "row", "value"), EXPORTABLE)
def test_the_edge_has_this_value_in_onnx(node, row, value):
    ((found,),) = evaluated({"f": node}, [json.loads(row)])
    assert_value(node, found, value)


def test_most_of_the_edges_are_exported():
    assert len(EXPORTABLE) >= LEAST_EDGES


def test_what_is_refused_is_named():
    for case in parts():
        node = case.values[0]
        if not exportable(node) and not node.type.startswith("list"):
            assert all(" " in each for each in refusals(node)), case.id
