"""Exported trees answer as the interpreter does, on grown trees and hard rows.

What cannot be exported is left out by the exporter itself; so are the functions of onnxruntime's
own sine, whose bounds `tests/unit/exports/test_lowering.py` holds.
"""

import sys
from pathlib import Path
from random import Random

from tondo.adapters.exports.onnx.lowering_table import LOWERINGS
from tondo.adapters.exports.onnx.reference import OWN_SINES

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
try:
    from benchmarks.language_equality import grow, judge
    from benchmarks.language_equality.exported import OnnxEngine, judged
finally:
    sys.path.remove(str(ROOT))

LEAST_PAIRS = 60_000
MOST_UNDECIDED = 0.002


def test_onnx_agrees_wherever_the_language_decides(capsys):
    random = Random(20_130_402)
    reference = judge.evaluators()[judge.REFERENCE]()
    judging = judge.Judge({judge.REFERENCE: reference, "onnx": OnnxEngine()})
    for place in range(24):
        grown = [grow.feature(random) for _ in range(60)] if place % 3 else []
        nodes = [each for each in grown or grow.every_function(random) if judged(each)]
        judging.batch(random, nodes, 100)
    with capsys.disabled():
        print("\nonnx:", *judging.tally.lines(), sep="\n  ")
    assert judging.tally.pairs >= LEAST_PAIRS
    assert judging.tally.undecided_share <= MOST_UNDECIDED
    assert set(judging.tally.functions) >= set(LOWERINGS) - set(OWN_SINES)
