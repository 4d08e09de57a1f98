"""The control loop of a model: measure what serves, decide, start what was decided.

Measurements come from monitoring, the decision from retraining, the work from a pipeline; here
they meet. Each check is recorded under its instant, so that one instant decides once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import digest
from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.deployment.rollout_records import running_rollout
from tondo.stages.evaluation.report import Report
from tondo.stages.monitoring.alerts import report_findings
from tondo.stages.monitoring.findings import metric_finding
from tondo.stages.monitoring.live import live_metrics
from tondo.stages.registry.versions import ModelVersion
from tondo.stages.retraining.decision import (
    CheckMeasurement,
    Decision,
    LiveModel,
    decide,
    is_check_due,
)
from tondo.stages.training.run import Run
from tondo.workspace.joined import JUDGED_COLUMNS, joined_outcomes, label_horizon_us
from tondo.workspace.months import settle
from tondo.workspace.pipelines.retrain import Retraining, retrain
from tondo.workspace.watching import drift_among, keep_look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.evaluation.delong import Interval
    from tondo.stages.monitoring.join import Joined
    from tondo.stages.monitoring.live import LiveMetrics
    from tondo.stages.retraining.policy import RetrainingPolicy
    from tondo.workspace.bootstrap import Parts

CHECK_KIND = "check"
RETRAINING_KIND = "retraining"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what was measured and what was decided."""

    model: str
    measurement: CheckMeasurement
    decision: Decision


def decision_now(parts: Parts, policy: RetrainingPolicy) -> Decision:
    """Measure and decide at this instant; nothing is recorded."""
    live = live_model(parts, policy)
    at_us = parts.clock.now_us()
    found = _of_live(_metrics(policy, _window(parts, policy), live), live)
    measured = _measurement(found, live, at_us)
    return decide(policy, [*_past(parts, policy.model), measured], live, at_us=at_us)


def run_due(parts: Parts, policy: RetrainingPolicy) -> Decision | None:
    """Make the check that is due and carry its decision to the end; None when none is due."""
    at_us = parts.clock.now_us()
    known = parts.ledger.find(CHECK_KIND, _check_id(policy.model, at_us))
    if known is not None:
        check = msgspec.convert(known.body, Check)
    else:
        past = _past(parts, policy.model)
        if not is_check_due(policy, past[-1].at_us if past else None, at_us=at_us):
            return None
        check = _check(parts, policy, past, at_us)
    if check.decision.retrain:
        _carry_out(parts, policy, check, at_us)
    return check.decision


def live_model(parts: Parts, policy: RetrainingPolicy) -> LiveModel:
    """Return what is known of the version that answers for a model."""
    deployment = policy.model
    main = get_deployment(deployment, ledger=parts.ledger).main
    version = parts.ledger.read("model_version", main.model_version_id, ModelVersion)
    run = parts.ledger.read("run", version.run, Run)
    accepted = accepted_interval(parts, version)
    rollout = running_rollout(deployment, ledger=parts.ledger)
    attempts = [
        record.created_at_us
        for record in parts.ledger.records(
            RETRAINING_KIND, where={"model_version_id": version.id}, limit=1
        )
    ]
    return LiveModel(
        model_version_id=version.id,
        accepted_auc=None if accepted is None else accepted.value,
        accepted_standard_error=None if accepted is None else accepted.standard_error,
        last_training_row_us=run.last_training_time_us,
        trained_at_us=run.ended_at_us,
        last_attempt_us=attempts[0] if attempts else None,
        labelled_until_us=parts.clock.now_us() - label_horizon_us(parts, deployment),
        busy=None if rollout is None else f"version {rollout.candidate.version} is on trial",
    )


def accepted_interval(parts: Parts, version: ModelVersion) -> Interval | None:
    """Return the AUC with interval on which the gate accepted a version."""
    if version.report is None:
        return None
    return parts.ledger.read("report", version.report, Report).auc_interval


def _check(
    parts: Parts, policy: RetrainingPolicy, past: list[CheckMeasurement], at_us: int
) -> Check:
    live = live_model(parts, policy)
    joined = _window(parts, policy, columns=(*JUDGED_COLUMNS, "vector"))
    groups = _metrics(policy, joined, live)
    found = _of_live(groups, live)
    measured = _measurement(found, live, at_us)
    check = Check(
        model=policy.model,
        measurement=measured,
        decision=decide(policy, [*past, measured], live, at_us=at_us),
    )
    if found is not None:
        _report_fall(parts, policy, found, live)
        settle(parts, policy.model)
        keep_look(
            parts,
            policy.model,
            window=policy.window,
            report=drift_among(parts, policy.model, joined.table),
            overall=groups[0],
            at_us=at_us,
        )
    parts.ledger.put(
        CHECK_KIND,
        _check_id(policy.model, at_us),
        check,
        parents=[("model_version", measured.model_version_id, "measured")],
    )
    return check


def _window(
    parts: Parts, policy: RetrainingPolicy, *, columns: Sequence[str] = JUDGED_COLUMNS
) -> Joined:
    """Return the policy's window of predictions beside what is known of them now."""
    now_us = parts.clock.now_us()
    return joined_outcomes(
        parts,
        policy.model,
        start_us=now_us - policy.window_us,
        end_us=now_us,
        at_us=now_us,
        columns=columns,
    )


def _metrics(policy: RetrainingPolicy, joined: Joined, live: LiveModel) -> list[LiveMetrics]:
    """Return how the policy's window did: all rows, then each version, whatever variant it was.

    Only the quality of what serves decides, so the others are counted and not judged.
    """
    return live_metrics(
        joined,
        start_us=joined.at_us - policy.window_us,
        end_us=joined.at_us,
        by=("model_version_id",),
        judged=_group_of(live),
    )


def _of_live(groups: list[LiveMetrics], live: LiveModel) -> LiveMetrics | None:
    return next((each for each in groups if each.group == _group_of(live)), None)


def _group_of(live: LiveModel) -> dict[str, str]:
    return {"model_version_id": live.model_version_id}


def _report_fall(
    parts: Parts, policy: RetrainingPolicy, found: LiveMetrics, live: LiveModel
) -> None:
    version = parts.ledger.read("model_version", live.model_version_id, ModelVersion)
    accepted = accepted_interval(parts, version)
    if accepted is None:
        return
    fallen = metric_finding(
        found,
        deployment=policy.model,
        version=version.number,
        accepted=accepted,
        standard_errors=policy.standard_errors,
        at_us=parts.clock.now_us(),
    )
    if fallen is not None:
        report_findings([fallen], ledger=parts.ledger, clock=parts.clock)


def _measurement(found: LiveMetrics | None, live: LiveModel, at_us: int) -> CheckMeasurement:
    return CheckMeasurement(
        at_us=at_us,
        model_version_id=live.model_version_id,
        auc=None if found is None or found.auc is None else found.auc.value,
        standard_error=None if found is None or found.auc is None else found.auc.standard_error,
        coverage=0.0 if found is None else found.coverage or 0.0,
        labelled=0 if found is None else found.labelled,
    )


def _carry_out(parts: Parts, policy: RetrainingPolicy, check: Check, at_us: int) -> Retraining:
    retraining_id = digest([RETRAINING_KIND, policy.model, at_us])[:32]
    known = parts.ledger.find(RETRAINING_KIND, retraining_id)
    if known is not None:
        return msgspec.convert(known.body, Retraining)
    why = " ".join(check.decision.reasons)
    done = retrain(parts, policy, by="policy", why=why, at_us=at_us)
    body = {
        **msgspec.to_builtins(done),
        "model_version_id": check.measurement.model_version_id,
        "trigger": check.decision.trigger,
    }
    parts.ledger.put(
        RETRAINING_KIND,
        retraining_id,
        body,
        parents=[(CHECK_KIND, _check_id(policy.model, at_us), "decided by")],
    )
    return done


def _past(parts: Parts, model: str) -> list[CheckMeasurement]:
    """Return the measurements of earlier checks, the oldest first."""
    records = parts.ledger.records(CHECK_KIND, where={"model": model})
    found = [msgspec.convert(each.body, Check).measurement for each in records]
    return sorted(found, key=lambda each: each.at_us)


def _check_id(model: str, at_us: int) -> str:
    return digest([CHECK_KIND, model, at_us])[:32]
