"""Interpreter, compiled rows, DuckDB and Spark agree on grown trees and hard rows.

Transcendental functions stand anywhere in a tree. Where none does, answers are equal in every bit.
Below one, the interpreter carries bounds (`language/bounds.py`): an answer that is decided lies in
them, or is equal in every bit; one that a step above them leaves open is counted as undecided.
"""

from __future__ import annotations

import math
import struct
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tondo.language.functions import FUNCTIONS
from tondo.language.rows import compile_packed, compile_vector

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
try:
    from benchmarks.language_equality import grow, judge
finally:
    sys.path.remove(str(ROOT))

LEAST_PAIRS = 100_000
MOST_UNDECIDED = 0.001
ENGINES = sorted(set(judge.evaluators()) - {judge.REFERENCE})
SHAPES = {"spark": (60, 400, 4)}
"""Expressions and rows of a batch, and batches; an engine that plans for long gets few and large."""


@pytest.fixture(scope="module")
def engine(request):
    """An engine: the one that conftest shares where starting takes long, else a new one."""
    name = request.param
    try:
        yield request.getfixturevalue(name)
    except pytest.FixtureLookupError:
        opened = judge.evaluators()[name]()
        yield opened
        opened.close()


def judging(engine):
    reference = judge.evaluators()[judge.REFERENCE]()
    return judge.Judge({judge.REFERENCE: reference, engine.name: engine})


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_an_engine_agrees_wherever_the_language_decides(engine, capsys):
    random = Random(20_130_401)
    judged = judging(engine)
    trees, rows, batches = SHAPES.get(engine.name, (50, 50, 50))
    for _ in range(batches):
        judged.batch(random, [grow.feature(random) for _ in range(trees)], rows)
    for _ in range(2):
        judged.batch(random, grow.every_function(random), min(rows, 100))
    with capsys.disabled():
        print(f"\n{engine.name}:", *judged.tally.lines(), sep="\n  ")
    assert judged.tally.pairs >= LEAST_PAIRS
    assert judged.tally.undecided_share <= MOST_UNDECIDED
    assert set(judged.tally.functions) == set(FUNCTIONS)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(random=st.randoms(use_true_random=False))
@pytest.mark.parametrize("engine", ["rows", "duckdb"], indirect=True)
def test_a_mismatch_shrinks_to_a_small_tree(engine, random):
    judging(engine).batch(random, [grow.feature(random) for _ in range(12)], 12)


def test_values_by_position_give_the_vector_of_the_row():
    random = Random(7)
    trees = [grow.feature(random) for _ in range(2_000)] + grow.every_function(random)
    numbers = [each for each in trees if each.type in {"double", "bool", "id", "timestamp"}]
    features = {str(place): node for place, node in enumerate(numbers)}
    by_row, by_position = compile_vector(features), compile_packed(features, list(grow.COLUMNS))
    for _ in range(200):
        row = {name: _decoded(name, value) for name, value in grow.hard_row(random).items()}
        packed = struct.pack(f"<{len(numbers)}d", *by_row(row))
        assert by_position(*(row[name] for name in grow.COLUMNS)) == packed


def _decoded(name, value):
    """Return a column's value as a typed decoder makes it: a double is a float, finite or none."""
    if grow.COLUMNS[name] != "double" or value is None:
        return value
    return float(value) if math.isfinite(value) else None


def test_an_engine_that_rounds_otherwise_is_told_whole():
    class Wrong(judge.evaluators()["rows"]):
        name = "wrong"

        def evaluate(self, expressions, table, *, keep=()):
            found = super().evaluate(expressions, table, keep=keep)
            lengths = [each for each, node in expressions.items() if node.function == "length"]
            column = [
                None if each is None else each + 1.0 for each in found[lengths[0]].to_pylist()
            ]
            return found.set_column(found.column_names.index(lengths[0]), lengths[0], [column])

    random = Random(1)
    with pytest.raises(judge.Mismatch, match=r"(?s)wrong answers .*, not .*length.*on \{"):
        judging(Wrong()).batch(random, grow.every_function(random), 10)
