"""Asks tondo and TFDV the same random questions: `python -m benchmarks.tfdv_agreement --peer PYTHON`.

Prints how often both agree, why they do not, and whole what nothing explains; then exits 1. `--list`
writes every single difference with its reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.table import tell
from benchmarks.tfdv_agreement.cases import FAMILIES, cases
from benchmarks.tfdv_agreement.ours import Ours
from benchmarks.tfdv_agreement.reasons import REASONS
from benchmarks.tfdv_agreement.recorded import compared, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.tfdv_agreement.recorded import Compared

VARIABLE = "TONDO_TFDV_PYTHON"
HOW_TO = f"""TFDV needs an environment of its own (Python 3.11, 2.5 GB; it pins old protobuf and pyarrow):

    uv venv --python 3.11 tfdv
    uv pip install --python tfdv tensorflow-data-validation==1.16.1 dill

Then say --peer tfdv/bin/python, or set {VARIABLE}."""
HEAD = ("family", "cases", "answers", "same", "theirs", "choice", "unexplained", "share", "alike")
SHOWN = 20
"""Unexplained differences that are printed whole."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    peer = options.peer or os.environ.get(VARIABLE)
    if not peer:
        print(HOW_TO, file=sys.stderr)
        return 2
    asked = list(cases(options.cases, seed=options.seed))
    with tempfile.TemporaryDirectory() as folder:
        theirs = list(_ask(peer, asked, Path(folder)))
    ours = Ours()
    found = [
        compared(case, ours.answer(case), answer)
        for case, answer in zip(asked, theirs, strict=True)
    ]
    ours.close()
    if options.record:
        options.record.write_text(record(asked, theirs, seed=options.seed), encoding="utf-8")
    if options.list:
        options.list.write_text("".join(map(_listed, found)), encoding="utf-8")
    return _report(found)


def _ask(peer: str, asked: list[dict[str, Any]], folder: Path) -> Iterator[dict[str, Any]]:
    """Have TFDV answer all cases in one process, since starting it takes half a minute."""
    questions, answers = folder / "cases.jsonl", folder / "answers.jsonl"
    questions.write_text("".join(json.dumps(each) + "\n" for each in asked), encoding="utf-8")
    script = Path(__file__).with_name("peer.py")
    command = [peer, str(script), str(questions), str(answers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the peer failed:\n{done.stderr[-3000:]}")
    with answers.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _listed(one: Compared) -> str:
    """Return a line of JSON for each difference of a case."""
    where = {"case": one.case["case"], "family": one.case["family"]}
    lines = [
        where | each._asdict() | {"reason": reason and reason.name} for each, reason in one.parted
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _report(found: list[Compared]) -> int:
    unexplained = [(each, one) for each in found for one, reason in each.parted if reason is None]
    tell(HEAD, [_row(family, found) for family in (*FAMILIES, "all")])
    print()
    cases = Counter(reason.name for each in found for reason in each.reasons)
    answers = Counter(reason.name for each in found for _, reason in each.parted if reason)
    whole = sum(each.questions for each in found)
    tell(
        ["reason", "whose", "cases", "answers", "of all"],
        [
            [each.name, each.whose, cases[each.name], count, f"{count / whole:.2%}"]
            for each in REASONS
            if (count := answers[each.name])
        ],
    )
    for each, one in unexplained[:SHOWN]:
        print(f"\nunexplained: {one}\n{json.dumps(each.case)}")
    return 1 if unexplained else 0


def _row(family: str, found: list[Compared]) -> list[str]:
    """Return how many answers are the same, or not and whose reason, and two shares."""
    chosen = [each for each in found if family in {each.case["family"], "all"}]
    answers = sum(each.questions for each in chosen)
    parted = Counter(reason and reason.whose for each in chosen for _, reason in each.parted)
    same = answers - parted.total()
    counts = (len(chosen), answers, same, *(parted[each] for each in ("theirs", "choice", None)))
    shares = (same / max(answers - parted["theirs"], 1), same / max(same + parted[None], 1))
    return [family, *(f"{each:,}" for each in counts), *(f"{each:.2%}" for each in shares)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tfdv_agreement", description="Compare verdicts with TFDV's."
    )
    parser.add_argument("--peer", help=f"a Python that has TFDV; else {VARIABLE}")
    parser.add_argument("--cases", type=int, default=2000, help="how many (2,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the cases (1)")
    parser.add_argument("--list", type=Path, metavar="FILE", help="write every difference to it")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the peer's answers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
