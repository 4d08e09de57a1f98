"""One case compared, and the peer's answers kept for where there is no peer."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.tfdv_agreement.compare import Difference, differences, questions
from benchmarks.tfdv_agreement.facts import Facts
from benchmarks.tfdv_agreement.reasons import Reason, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class Compared(NamedTuple):
    """A case, and in what the two answers differ, each with its reason."""

    case: dict[str, Any]
    parted: list[tuple[Difference, Reason | None]]
    questions: int

    @property
    def reasons(self) -> list[Reason]:
        return list({each.name: each for _, each in self.parted if each is not None}.values())


def compared(case: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> Compared:
    facts = Facts(case, ours, theirs)
    found = differences(case, ours, theirs)
    parted = [(each, reason_of(each, facts)) for each in found]
    return Compared(case, parted, questions(case, ours, theirs))


def record(cases: Sequence[dict[str, Any]], answers: Sequence[dict[str, Any]], *, seed: int) -> str:
    """Return the answers as JSON, a line a case, with what tells that the cases are the same."""
    head = {
        "made_by": "python -m benchmarks.tfdv_agreement --record FILE "
        f"--cases {len(cases)} --seed {seed}",
        "version": answers[0]["version"],
        "seed": seed,
        "cases": digest(cases),
    }
    kept = [json.dumps(_needed(*each)) for each in zip(cases, answers, strict=True)]
    lines = ",\n".join(kept)
    return f'{json.dumps(head)[:-1]}, "answers": [\n{lines}\n]}}\n'


def digest(cases: Sequence[dict[str, Any]]) -> str:
    """Return what changes when any case does."""
    return hashlib.sha256(json.dumps(cases).encode()).hexdigest()


def _needed(case: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer without the statistics that its family is not compared by."""
    kept = {name: value for name, value in answer.items() if name != "version"}
    if "failed" in kept:
        return kept
    if case["family"] in {"infer", "validate", "rows"}:
        kept |= {"columns": {}, "others": {}}
    elif case["family"] == "distances":
        for side in (kept, *({"columns": each} for each in kept["others"].values())):
            for column in side["columns"].values():
                for name in set(column) - {"standard"}:
                    del column[name]
    return kept
