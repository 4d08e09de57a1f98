"""The gate: whether a report lets its model pass, with a sentence for each check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import near

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ledger.ledger import Ledger
    from tondo.stages.evaluation.compare import Difference, PairedComparison
    from tondo.stages.evaluation.report import Report
    from tondo.stages.training.spec import Change, Gate

KIND = "verdict"

Outcome = Literal["passed", "failed", "undecided"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One question of the gate and its answer."""

    name: str
    outcome: Outcome
    """`undecided`: too few rows to tell; it does not pass."""
    value: float | None
    limit: float | None
    why: str

    @property
    def passed(self) -> bool:
        """Whether the check lets the model pass."""
        return self.outcome == "passed"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of one gate; it passes when every check does."""

    passed: bool
    checks: list[Check]
    report: str
    """Digest of the report that was judged."""
    first: bool = False
    """True when there was declared to be no earlier model to compare with."""
    inherited_from: str | None = None
    """Run whose verdict this is: a refit of the same spec on more rows takes it over."""

    def __repr__(self) -> str:
        """Say the outcome and the reasons against."""
        against = [each.why for each in self.checks if not each.passed]
        return f"Verdict({'passed' if self.passed else 'refused: ' + ' '.join(against)})"


def judge(
    gate: Gate,
    report: Report,
    paired: PairedComparison | None = None,
    *,
    first: bool = False,
) -> Verdict:
    """Return the verdict on `report`; nothing that is missing ever passes.

    `paired` compares with the model that serves. `first=True` declares that none serves, and is
    the only way past a gate that asks for a change without a comparison.
    """
    checks = [_rows_check(gate, report)]
    for metric, limit in gate.thresholds.items():
        value = report.metrics.get(metric)
        if value is None:
            checks.append(_missing(metric, report))
            continue
        if limit.min is not None:
            checks.append(_limit_check(metric, value, limit.min, at_least=True))
        if limit.max is not None:
            checks.append(_limit_check(metric, value, limit.max, at_least=False))
    if gate.change is not None:
        checks += _change_checks(gate.change, paired, first=first)
    return Verdict(
        passed=all(each.passed for each in checks), checks=checks, report=report.id, first=first
    )


def inherit(verdict: Verdict, *, run: str) -> Verdict:
    """Return the verdict of `run` for the refit of its spec on all rows.

    >>> inherit(Verdict(passed=True, checks=[], report="r"), run="0192").inherited_from
    '0192'
    """
    return msgspec.structs.replace(verdict, inherited_from=run)


def _rows_check(gate: Gate, report: Report) -> Check:
    enough = report.rows >= gate.min_rows
    return Check(
        name="min_rows",
        outcome="passed" if enough else "undecided",
        value=report.rows,
        limit=gate.min_rows,
        why=f"{report.rows} labelled rows, at least {gate.min_rows} are asked for.",
    )


def _missing(metric: str, report: Report) -> Check:
    known = [name for name, value in report.metrics.items() if value is not None]
    why = f"The report has no {metric}, and a missing metric fails."
    if metric not in report.metrics:
        why += f" {near(metric, known)}"
    return Check(name=metric, outcome="failed", value=None, limit=None, why=why)


def _limit_check(metric: str, value: float, limit: float, *, at_least: bool) -> Check:
    met = value >= limit if at_least else value <= limit
    word = "least" if at_least else "most"
    return Check(
        name=f"{metric}.{'min' if at_least else 'max'}",
        outcome="passed" if met else "failed",
        value=value,
        limit=limit,
        why=f"{metric} is {value:.4f}, at {word} {limit:g} is asked for.",
    )


def _change_checks(
    change: Change, paired: PairedComparison | None, *, first: bool
) -> Iterator[Check]:
    name = f"change.{change.metric}"
    if first:
        why = "No model serves yet; this one was declared to be the first."
        yield Check(name=name, outcome="passed", value=None, limit=None, why=why)
        return
    found = None if paired is None else paired.differences.get(change.metric)
    if paired is None or found is None:
        why = (
            "Nothing was compared with the model that serves; declare the first model as such."
            if paired is None
            else f"The compared rows do not define {change.metric}, and a missing metric fails."
        )
        yield Check(name=name, outcome="failed", value=None, limit=None, why=why)
        return
    if change.min_difference is not None:
        yield _difference_check(name, change.min_difference, found)
    if change.margin is not None:
        yield _margin_check(name, change.margin, found, paired.rows)


def _difference_check(name: str, asked: float, found: Difference) -> Check:
    value = found.improvement.value
    return Check(
        name=f"{name}.min_difference",
        outcome="passed" if value >= asked else "failed",
        value=value,
        limit=asked,
        why=f"{_said(found)}; at least {asked:+.4f} is asked for.",
    )


def _margin_check(name: str, margin: float, found: Difference, rows: int) -> Check:
    gain = found.improvement
    outcome: Outcome = "passed"
    why = f"{_said(found)}; it may not be worse by {margin:g} or more"
    if gain.high <= -margin:
        outcome, why = "failed", why + ", and it is."
    elif gain.low <= -margin:
        outcome, why = "undecided", why + f", which {rows} rows do not show."
        needed = _rows_needed(margin, found, rows)
        if needed is not None:
            why += f" About {needed} rows would."
    else:
        why += ", and it is not."
    return Check(name=f"{name}.margin", outcome=outcome, value=gain.low, limit=-margin, why=why)


def _rows_needed(margin: float, found: Difference, rows: int) -> int | None:
    """Return the rows at which the same improvement would clear the margin, two digits."""
    gain = found.improvement
    room = gain.value + margin
    if room <= 0:
        return None
    needed = rows * ((gain.value - gain.low) / room) ** 2
    digits = max(0, math.floor(math.log10(needed)) - 1)
    return int(math.ceil(needed / 10**digits) * 10**digits)


def _said(found: Difference) -> str:
    gain = found.improvement
    return (
        f"{found.metric} is {found.candidate:.4f} against {found.current:.4f}, an improvement of "
        f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
    )


def keep_verdict(verdict: Verdict, *, ledger: Ledger) -> str:
    """Write the verdict under its digest, linked to its report; return the id."""
    name = digest(verdict)
    ledger.put(KIND, name, verdict, parents=[("report", verdict.report, "judged")])
    return name
