"""Model versions: immutable, numbered 1, 2, 3 within a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import CallerError, DefinitionError
from tondo.core.names import check_name
from tondo.stages.evaluation.gate import Verdict, keep_verdict

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.stages.evaluation.report import Report
    from tondo.stages.training.run import Run

KIND = "model_version"


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One registered package. It never changes; tags and deployments point at its id."""

    id: str
    name: str
    """The model's name."""
    number: int
    """1, 2, 3 ... within the model."""
    package: str
    """Digest of the sealed package."""
    run: str
    report: str | None
    """Digest of the report its verdict is about; of the judged run, for a refit."""
    verdict: Verdict
    owner: str
    description: str = ""
    override: str | None = None
    """Why it was registered although the gate refused it."""
    refit_of: str | None = None
    """Run that was judged in its place, when this is the refit on more rows."""
    registered_at_us: int
    by: str

    def __repr__(self) -> str:
        """Say name, number and where it comes from."""
        judged = "passed" if self.verdict.passed else "overridden"
        return f"ModelVersion({self.name!r}, {self.number}, gate={judged}, id={self.id!r})"


def register(
    name: str,
    *,
    run: Run,
    report: Report | None,
    verdict: Verdict,
    owner: str,
    by: str,
    ledger: Ledger,
    description: str = "",
    override: str | None = None,
) -> ModelVersion:
    """Register the package of `run` as the model's next version.

    A refit passes with the verdict that it inherits from the judged run and that run's report.
    TD-GATE-001 when the verdict refuses it and no reason is given to override; TD-REGISTRY-002
    when run, report and verdict are not about one model; TD-REGISTRY-005 without an owner.
    """
    check_name(name, "model")
    _check_owner(name, owner)
    _check_agreement(name, run, report, verdict)
    _check_verdict(name, verdict, override)
    with ledger.transaction():
        head = ledger.pointer(pointer_name(name))
        version = ModelVersion(
            id=ledger.new_id(),
            name=name,
            number=1 if head is None else head.number + 1,
            package=run.package,
            run=run.id,
            report=None if report is None else report.id,
            verdict=verdict,
            owner=owner,
            description=description,
            override=None if verdict.passed else override,
            refit_of=run.refit_of,
            registered_at_us=ledger.clock.now_us(),
            by=by,
        )
        _write(version, expect=None if head is None else head.target, ledger=ledger)
    return version


def pointer_name(name: str, tag: str | None = None) -> str:
    """Return the ledger's pointer of a model's newest version, or of a tag.

    >>> pointer_name("late"), pointer_name("late", "live")
    ('model/late', 'model/late@live')
    """
    return f"model/{name}" if tag is None else f"model/{name}@{tag}"


def _write(version: ModelVersion, *, expect: str | None, ledger: Ledger) -> None:
    parents = [("package", version.package, "package"), ("run", version.run, "run")]
    if version.report is not None:
        parents.append(("report", version.report, "report"))
        parents.append(("verdict", keep_verdict(version.verdict, ledger=ledger), "verdict"))
    if version.refit_of is not None:
        parents.append(("run", version.refit_of, "refit_of"))
    ledger.put(KIND, version.id, version, parents=parents)
    # The pointer moves once per version, so its number is the version's.
    ledger.move(
        pointer_name(version.name),
        version.id,
        expect=expect,
        by=version.by,
        why=f"registered version {version.number}",
    )


def _check_owner(name: str, owner: str) -> None:
    if not owner.strip():
        raise DefinitionError(
            "TD-REGISTRY-005",
            f"model '{name}' has no owner",
            expected="the person or team who answers for it",
            fix="Write `owner:` into the model spec.",
        )


def _check_verdict(name: str, verdict: Verdict, override: str | None) -> None:
    if verdict.passed or (override or "").strip():
        return
    reasons = " ".join(each.why for each in verdict.checks if not each.passed)
    raise CallerError(
        "TD-GATE-001",
        f"the gate refuses this model '{name}': {reasons}".rstrip("."),
        expected="a verdict that passes",
        fix="Train a better model, or override with a reason, which is recorded.",
        checks=[each.name for each in verdict.checks if not each.passed],
    )


def _check_agreement(name: str, run: Run, report: Report | None, verdict: Verdict) -> None:
    problem = ""
    if run.model != name:
        problem = f"run {run.id} trained '{run.model}'"
    elif report is not None and verdict.report != report.id:
        problem = "the verdict is about another report"
    elif verdict.inherited_from is not None and verdict.inherited_from != run.refit_of:
        problem = f"the verdict was taken over from run {verdict.inherited_from}"
    elif verdict.inherited_from is None and report and report.subject.package != run.package:
        problem = "the report is about another package"
    if problem:
        raise CallerError(
            "TD-REGISTRY-002",
            f"a version of '{name}' cannot be made of these parts: {problem}",
            expected="run, report and verdict of one package, or of the run it refits",
            fix="Evaluate and judge the package of this run.",
        )
