"""Retraining as an execution: learn, judge against what serves, refit on all rows, try it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant
from tondo.stages.deployment.deploy import find_deployment
from tondo.stages.evaluation.gate import inherit
from tondo.stages.evaluation.report import Report
from tondo.stages.registry.versions import register
from tondo.stages.training.periods import Period
from tondo.stages.training.run import Run
from tondo.workspace.batches import sift, sources_of
from tondo.workspace.pipelines import learning
from tondo.workspace.reference import accept
from tondo.workspace.verbs.data import DataVerbs
from tondo.workspace.verbs.deployment import DeploymentVerbs
from tondo.workspace.verbs.rollouts import RolloutVerbs

if TYPE_CHECKING:
    from tondo.flow.executions import Execution
    from tondo.stages.retraining.policy import RetrainingPolicy
    from tondo.workspace.bootstrap import Parts


class Fresh(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to train on."""

    snapshots: dict[str, str]
    """Datasets that are read, with their content."""
    sources: dict[str, str]
    """Datasets that they come from in the end, with their content."""
    taken: int
    """New files that passed their check."""
    refused: list[str]
    """What was wrong with each file that was set aside."""


class Retraining(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a retraining."""

    execution: str
    model: str
    run: str
    """The run that was judged; empty when the data was refused and nothing was trained."""
    passed: bool
    reasons: list[str]
    """The gate's sentences, or what was wrong with the data."""
    version: int | None = None
    """Number of the refit that was registered; None when the gate refused."""
    rollout: bool = False
    """True when the refit is being tried as a canary."""


def retrain(
    parts: Parts, policy: RetrainingPolicy, *, by: str, why: str, at_us: int | None = None
) -> Retraining:
    """Run the pipeline to its end; killed, the same call (same instant) goes on."""
    model = policy.model
    now_us = parts.clock.now_us() if at_us is None else at_us
    parameters = {"model": model, "at_us": now_us, "why": why}
    with parts.executions.run("retrain", parameters, key=f"{model}@{now_us}") as execution:
        return learn_and_try(
            parts, execution, model, holdout_us=policy.holdout_us, now_us=now_us, by=by, why=why
        )


def learn_and_try(
    parts: Parts,
    execution: Execution,
    model: str,
    *,
    holdout_us: int | None,
    now_us: int,
    by: str,
    why: str,
) -> Retraining:
    """Do the steps of a retraining within an execution.

    `holdout_us` holds back that much of the newest time for the gate; None leaves it to the spec.
    """
    spec = learning.read_spec(parts, model)
    at = format_instant(now_us)
    # Remembered, because after the last step the answer is another one.
    live = execution.step("live", lambda progress: _live(parts, model), parameters={"at": at})
    data = execution.step(
        "data",
        lambda progress: _refresh(parts, spec.source, by=by),
        parameters={"at": at},
        result_type=Fresh,
    )
    if data.refused and not data.taken:
        return Retraining(
            execution=execution.id, model=model, run="", passed=False, reasons=data.refused
        )
    training_set = execution.step(
        "training set",
        lambda progress: (
            learning.build(
                parts,
                spec,
                learning.resolve(parts, spec),
                until_us=now_us,
                beside=learning.load_package(parts, live) if live else None,
            ).id
        ),
        inputs=data.snapshots,
        parameters={"spec": spec.id, "at": at},
    )
    period = Period(train_until_us=None if holdout_us is None else now_us - holdout_us)
    run, refit = execution.step(
        "train",
        lambda progress: learning.train_with_refit_on(parts, spec, training_set, period=period),
        inputs={"training_set": training_set},
        parameters={"spec": spec.id, "at": at},
        packages=learning.packages_of(spec.algorithm),
        result_type=tuple[Run, Run],
    )
    execution.step(
        "reference",
        lambda progress: _accept(parts, data.sources, by=by, why=f"trained on in {run.id}"),
        inputs=data.sources,
    )
    judged = execution.step(
        "judge",
        lambda progress: learning.judge_run(parts, spec, run, live=live or None, period=period)[0],
        inputs={"run": run.id, "live": live},
        result_type=learning.Judgement,
    )
    found = Retraining(
        execution=execution.id,
        model=model,
        run=run.id,
        passed=judged.verdict.passed,
        reasons=[each.why for each in judged.verdict.checks],
    )
    if not judged.verdict.passed:
        return found
    number = execution.step(
        "register",
        lambda progress: _register(parts, spec.owner, refit, judged, by=by),
        inputs={"run": refit.id},
    )
    rollout = execution.step(
        "canary" if live else "deploy",
        lambda progress: _bring_live(parts, model, number, first=not live, by=by, why=why),
        inputs={"run": refit.id},
    )
    return msgspec.structs.replace(found, version=number, rollout=rollout)


def _live(parts: Parts, model: str) -> str:
    """Return the package that answers now, or nothing."""
    state = find_deployment(model, ledger=parts.ledger)
    return "" if state is None else state.main.package


def _refresh(parts: Parts, source: str, *, by: str) -> Fresh:
    """Bring sources and derived datasets up to date, without the new files that are bad."""
    for feed in parts.feeds:
        feed(parts.clock.now_us())
    data = DataVerbs(parts)
    derived = parts.project.of("dataset")
    names = sorted({source} | {view.source for view in parts.views.values()})
    sifted = [sift(parts, name, by=by) for name in sources_of(parts, names)]
    for name in names:
        if name in derived:
            data.derive(name)
    return Fresh(
        snapshots={name: data.snapshot(name).id for name in names},
        sources={each.dataset: each.snapshot for each in sifted},
        taken=sum(each.taken for each in sifted),
        refused=[sentence for each in sifted for sentence in each.refused],
    )


def _accept(parts: Parts, sources: dict[str, str], *, by: str, why: str) -> dict[str, str]:
    """Take what was trained on as what later files are compared with."""
    return {
        name: accept(parts, name, content=content, by=by, why=why).snapshot
        for name, content in sources.items()
    }


def _register(parts: Parts, owner: str, refit: Run, judged: Any, *, by: str) -> int:
    learning.load_package(parts, refit.package).close()  # sample rows are scored again
    version = register(
        refit.model,
        run=refit,
        report=parts.ledger.read("report", judged.report, Report),
        verdict=inherit(judged.verdict, run=judged.run),
        owner=owner,
        by=by,
        ledger=parts.ledger,
    )
    return version.number


def _bring_live(parts: Parts, model: str, number: int, *, first: bool, by: str, why: str) -> bool:
    if first:
        DeploymentVerbs(parts).deploy(model, str(number), by=by, why=why)
        return False
    # The gate has judged it on rows that the current version was judged on too.
    RolloutVerbs(parts).start(model, str(number), no_shadow=True, by=by, why=why)
    return True
