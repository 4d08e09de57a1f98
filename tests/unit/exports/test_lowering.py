"""What lowerings promise beyond the edges: sines, zeros' signs, constants that look neutral."""

import math
import sys
from pathlib import Path
from random import Random

import pytest

from tondo.adapters.exports.onnx.lowering_table import LOWERINGS
from tondo.adapters.exports.onnx.reference import OWN_SINES, export_table
from tondo.language.check import check
from tondo.language.functions import FUNCTIONS
from tondo.language.interpret import evaluate
from tondo.language.parse import parse

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))
try:
    from benchmarks.language_equality.exported import evaluated, refusals
finally:
    sys.path.remove(str(ROOT))

TYPES = {"x": "double", "y": "double", "s": "string", "u": "string", "b": "bool", "k": "id"}


def answers(text, rows):
    node = check(parse(text), TYPES)
    (found,) = evaluated({"f": node}, rows)
    return found, [evaluate(node, row) for row in rows]


@pytest.mark.parametrize(
    ("text", "absolute", "relative"),
    [("sin(x)", 1e-15, 0), ("cos(x)", 1e-15, 0), ("tan(x)", 0, 1e-11)],
)
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e5, 1e12])
def test_sines_of_onnxruntimes_own_are_this_near(text, absolute, relative, scale):
    random = Random(7)
    rows = [{"x": random.uniform(-scale, scale)} for _ in range(3000)]
    for value, want in zip(*answers(text, rows), strict=True):
        assert math.isclose(value, want, abs_tol=absolute, rel_tol=relative)


def test_distances_on_the_globe_are_within_a_micrometre():
    random = Random(8)
    rows = [{"x": random.uniform(-90, 90), "y": random.uniform(-180, 180)} for _ in range(3000)]
    for value, want in zip(*answers("haversine_km(x, y, 40.6413, -73.7781)", rows), strict=True):
        assert abs(value - want) <= 1e-9


@pytest.mark.parametrize("text", ["x + 1e-20", "x - 1e-300", "x * 1.0000000000000002", "1 / x * y"])
def test_constants_that_an_optimiser_takes_for_neutral_count(text):
    rows = [{"x": each, "y": 3.0} for each in (0.0, -0.0, 3e-20, 1e-300, 0.1, 49.0)]
    found, wanted = answers(text, rows)
    assert list(map(repr, found)) == list(map(repr, wanted))


def test_a_shared_part_is_written_once():
    from tondo.adapters.exports.onnx.lowerer import Lowerer
    from tondo.adapters.exports.onnx.writer import GraphWriter

    writer = GraphWriter()
    lowerer = Lowerer(writer, LOWERINGS)
    once = lowerer.form(check(parse("ln(x)"), TYPES))
    size = len(writer.nodes)
    assert lowerer.form(check(parse("ln(x)"), TYPES)) == once
    assert len(writer.nodes) == size


def test_every_reason_is_found_in_one_walk():
    node = check(parse("length(lower(s)) + strpos(u, 'a') + cast(s as double)"), TYPES)
    assert [each.partition(":")[0] for each in refusals(node)] == [
        "lower",
        "length",
        "strpos",
        "cast of text to double",
    ]


def test_constants_are_computed_before_so_text_functions_on_them_are_no_hindrance():
    found, wanted = answers("case when s = lower('JFK') then length('abc') end", [{"s": "jfk"}])
    assert found == wanted == [3.0]


def test_every_lowering_is_of_a_function_of_the_language():
    assert set(LOWERINGS) <= set(FUNCTIONS)
    assert set(OWN_SINES) <= set(LOWERINGS)


def test_the_page_has_the_table_as_it_is_found_by_trying():
    page = (ROOT / "docs" / "reference" / "export.md").read_text()
    assert export_table() in page, "run python -m tondo.adapters.exports.onnx.reference"
