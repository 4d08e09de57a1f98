"""The long run: `python -m benchmarks.language_equality [--pairs N] [--write docs/reference/language.md]`.

Grows expressions and rows until so many pairs are compared on every engine, and exits 1 at the first
pair where two engines part. `--write` puts the summary between its markers in a file of docs.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks.language_equality.exported import OnnxEngine, judged
from benchmarks.language_equality.grow import every_function, feature
from benchmarks.language_equality.judge import (
    REFERENCE,
    Judge,
    Mismatch,
    evaluators,
    open_evaluators,
)

if TYPE_CHECKING:
    from tondo.ports.engine import Evaluator

OPENING = "<!-- long run of {engines}: python -m benchmarks.language_equality --write FILE -->"
CLOSING = "<!-- end of the long run -->"
TREES = 60
ALL_EVERY = 20
"""Batches between two that have a tree for every signature."""


def main() -> int:
    """Run, and return 1 at a mismatch."""
    options = _parser().parse_args()
    engines = _opened(options)
    judge, random = Judge(engines), Random(options.seed)
    started = time.monotonic()
    try:
        _run(judge, random, options, until=options.minutes * 60 + started)
    except Mismatch as mismatch:
        print(f"after {judge.tally.pairs:,} pairs: {mismatch}", file=sys.stderr)
        return 1
    finally:
        for engine in engines.values():
            engine.close()
    opened = ", ".join(sorted(engines))
    lines = [f"engines: {opened}; seed {options.seed}", *judge.tally.lines()]
    print(*lines, sep="\n")
    if options.write:
        _write(options.write, OPENING.format(engines=opened), lines)
    return 0


def _opened(options: argparse.Namespace) -> dict[str, Evaluator]:
    if options.exported:
        return {**open_evaluators(REFERENCE), "onnx": OnnxEngine()}
    return open_evaluators(
        *(options.engines.split(",") if options.engines else sorted(evaluators()))
    )


def _run(judge: Judge, random: Random, options: argparse.Namespace, *, until: float) -> None:
    batch = 0
    while judge.tally.pairs < options.pairs and time.monotonic() < until:
        grown = [feature(random) for _ in range(TREES)]
        nodes = every_function(random) if batch % ALL_EVERY == 0 else grown
        if options.exported:
            nodes = [each for each in nodes if judged(each)]
        judge.batch(random, nodes, options.rows)
        batch += 1
        print(f"{judge.tally.pairs:,} pairs", end="\r", file=sys.stderr, flush=True)


def _write(path: Path, opening: str, lines: list[str]) -> None:
    body = "\n".join(f"- {line}" for line in lines)
    text = path.read_text(encoding="utf-8")
    between = re.compile(re.escape(opening) + ".*?" + re.escape(CLOSING), re.DOTALL)
    fresh, found = between.subn(lambda _: f"{opening}\n{body}\n{CLOSING}", text)
    if not found:
        sys.exit(f"{path} has no place for it: {opening} ... {CLOSING}")
    path.write_text(fresh, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000_000)
    parser.add_argument(
        "--minutes", type=float, default=600.0, help="stop then, with what there is"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", default="", help="such as duckdb,rows; every one if left out")
    parser.add_argument(
        "--exported", action="store_true", help="exported graphs, on trees that can be exported"
    )
    parser.add_argument("--rows", type=int, default=500, help="for each expression")
    parser.add_argument("--write", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
