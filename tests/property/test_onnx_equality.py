"""Exported trees answer as the interpreter does, on grown trees and hard rows.

What cannot be exported is left out by the exporter itself; so are the functions of onnxruntime's
own sine, whose bounds `tests/unit/exports/test_lowering.py` holds.
"""

import sys
from pathlib import Path
from random import Random

from tondo.adapters.exports.onnx.lowering_table import LOWERINGS
from tondo.adapters.exports.onnx.reference import OWN_SINES
from tondo.language.tree import Call, nodes_of

ROOT = Path(__file__).parents[2]
PLACES = [str(ROOT), str(ROOT / "tests")]
sys.path[:0] = PLACES
try:
    from benchmarks.language_equality import grow, judge

    from onnx_answers import OnnxEngine, exportable
finally:
    for each in PLACES:
        sys.path.remove(each)

LEAST_PAIRS = 60_000
MOST_UNDECIDED = 0.002


def judged_here(node):
    functions = {each.function for each in nodes_of(node) if isinstance(each, Call)}
    return functions.isdisjoint(OWN_SINES) and exportable(node)


def test_onnx_agrees_wherever_the_language_decides(capsys):
    random = Random(20_130_402)
    reference = judge.evaluators()[judge.REFERENCE]()
    judged = judge.Judge({judge.REFERENCE: reference, "onnx": OnnxEngine()})
    for place in range(24):
        grown = [grow.feature(random) for _ in range(60)] if place % 3 else []
        nodes = [each for each in grown or grow.every_function(random) if judged_here(each)]
        judged.batch(random, nodes, 100)
    with capsys.disabled():
        print("\nonnx:", *judged.tally.lines(), sep="\n  ")
    assert judged.tally.pairs >= LEAST_PAIRS
    assert judged.tally.undecided_share <= MOST_UNDECIDED
    assert set(judged.tally.functions) >= set(LOWERINGS) - set(OWN_SINES)
