"""The first page's values, gathered from the ledger, the closed months and the open ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant, from_micros
from tondo.workspace.months import MonthRecord, closed_months
from tondo.workspace.pages import (
    AlertRow,
    ConsistencyRow,
    DriftRow,
    ExecutionRow,
    LiveModel,
    LoopCounts,
    MonthPoint,
    Overview,
    Promotion,
    StepRow,
)
from tondo.workspace.present import present

if TYPE_CHECKING:
    from tondo.flow.values import ExecutionRecord
    from tondo.stages.deployment.state import DeploymentState
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.open_months import OpenMonthsReader

_STATES = {"running": "running", "succeeded": "done", "failed": "failed", "killed": "stopped"}
_SHOWN_EXECUTIONS = 6
_SHOWN_PREDICTIONS = 3
NOTE_KIND = "note"


def overview(parts: Parts, open_months: OpenMonthsReader) -> Overview:
    """Return what the first page shows; only the open months are computed, all else is read."""
    from tondo.stages.deployment.deploy import deployments

    states = deployments(ledger=parts.ledger)
    at = present(parts, [state.name for state in states])
    months, unseen = _months(parts, states, open_months, now_us=at.now_us)
    return Overview(
        project=parts.project.name,
        now_us=at.now_us,
        machine_us=at.machine_us if at.note else None,
        loop=_counts(parts, states, months),
        models=[model for state in states for model in _live(parts, state)],
        months=[each.point for each in months],
        promotions=_promotions(parts),
        traffic=[point for each in months for point in each.traffic],
        drift=[row for state in states for row in _drift(parts, state)],
        consistency=[row for state in states for row in _consistency(parts, state)],
        alerts=_alerts(parts),
        executions=[_execution(each) for each in parts.executions.newest(limit=_SHOWN_EXECUTIONS)],
        notes=[*_notes(parts), *unseen, *([at.note] if at.note else [])],
        predictions=_recent(parts, states),
        **_addresses(parts),
    )


def _months(
    parts: Parts, states: list[DeploymentState], open_months: OpenMonthsReader, *, now_us: int
) -> tuple[list[MonthRecord], list[str]]:
    """Return closed and open months by deployment, and a sentence for each that has more."""
    found, unseen = [], []
    for state in states:
        closed = closed_months(parts, state.name)
        still_open = open_months.read(state.name, closed, now_us=now_us)
        found += [*closed, *still_open.months]
        if still_open.unseen_until_us is not None:
            unseen.append(
                f"Predictions of {state.name} before"
                f" {format_instant(still_open.unseen_until_us)[:10]} are not measured yet:"
                f" tondo deployment watch {state.name} closes their months."
            )
    return found, unseen


def _counts(parts: Parts, states: list[DeploymentState], months: list[MonthRecord]) -> LoopCounts:
    count = parts.ledger.count
    return LoopCounts(
        snapshots=count("snapshot"),
        features=sum(len(view.types) for view in parts.views.values()),
        runs=count("run"),
        reports=count("report"),
        deployments=len(states),
        predictions=sum(each.point.rows for each in months),
        outcomes=sum(_labelled(each.point) for each in months),
        retrainings=count("retraining"),
    )


def _labelled(point: MonthPoint) -> int:
    if point.labelled is not None:
        return point.labelled
    return round(point.rows * (point.coverage or 0))


def _live(parts: Parts, state: DeploymentState) -> list[LiveModel]:
    from tondo.stages.registry.versions import ModelVersion
    from tondo.stages.training.run import Run
    from tondo.workspace.control import accepted_interval

    found = []
    for variant in state.desired.variants:
        version = parts.ledger.read("model_version", variant.model_version_id, ModelVersion)
        run = parts.ledger.read("run", version.run, Run)
        accepted = accepted_interval(parts, version)
        found.append(
            LiveModel(
                deployment=state.name,
                name=variant.model,
                version=variant.version,
                version_id=version.id,
                since_us=state.at_us,
                tags=_tags(parts, variant.model, version.id),
                weight=variant.weight,
                accepted_auc=None if accepted is None else accepted.value,
                low=None if accepted is None else accepted.low,
                high=None if accepted is None else accepted.high,
                algorithm=run.algorithm,
                trained_rows=run.rows.training,
                why=state.why,
            )
        )
    return found


def _tags(parts: Parts, model: str, version_id: str) -> list[str]:
    from tondo.stages.registry.resolve import tags

    return [tag for tag, target in tags(model, ledger=parts.ledger).items() if target == version_id]


def _promotions(parts: Parts) -> list[Promotion]:
    """Return each moment at which a version got the whole traffic."""
    from tondo.stages.deployment.state import KIND, DeploymentState

    found: list[Promotion] = []
    last: dict[str, int] = {}
    for record in parts.ledger.records(KIND, newest_first=False):
        state = msgspec.convert(record.body, DeploymentState)
        variants = state.desired.variants
        if len(variants) != 1 or last.get(state.name) == variants[0].version:
            continue
        last[state.name] = variants[0].version
        found.append(
            Promotion(
                deployment=state.name,
                version=variants[0].version,
                at_us=state.at_us,
                why=state.why,
            )
        )
    return found


def _drift(parts: Parts, state: DeploymentState) -> list[DriftRow]:
    """Return the last drift that was looked at; pages never compute it."""
    from tondo.workspace.watching import last_drift

    kept = last_drift(parts, state.name)
    if kept is None:
        return []
    return [
        DriftRow(
            feature=column.name,
            measure="psi",
            value=column.effect,
            limit=kept.report.limits.moderate,
            drifted=column.level in {"moderate", "large"},
            deployment=state.name,
            version=kept.version,
            window=f"{_in_words(kept.window)} to {from_micros(kept.at_us):%-d %B %Y}",
            rows=column.window_rows,
        )
        for column in kept.report.columns
    ]


def _consistency(parts: Parts, state: DeploymentState) -> list[ConsistencyRow]:
    """Return the last exact-match rates that were looked at; pages never compute them."""
    from tondo.workspace.consistency import last_consistency

    kept = last_consistency(parts, state.name)
    if kept is None:
        return []
    return [
        ConsistencyRow(
            feature=each.name,
            rows=each.rows,
            equal=each.equal,
            exact=not each.tolerance,
            deployment=state.name,
            checked_at_us=kept.at_us,
        )
        for each in kept.report.features
    ]


def _in_words(window: str) -> str:
    """Return a window as people say it.

    >>> _in_words("28d"), _in_words("36h")
    ('28 days', '36h')
    """
    days = window.removesuffix("d")
    return f"{days} days" if days.isdigit() else window


def _alerts(parts: Parts) -> list[AlertRow]:
    from tondo.stages.monitoring.alerts import alerts

    return [
        AlertRow(
            id=each.id,
            state=each.status,
            kind=each.kind,
            subject=each.subject,
            message=each.message,
            opened_at_us=each.first_seen_us,
            severity=each.severity,
            by=each.by or "",
            why=each.why or "",
        )
        for each in alerts(ledger=parts.ledger)
    ]


def _execution(record: ExecutionRecord) -> ExecutionRow:
    steps = [
        StepRow(
            name=each.name,
            seconds=each.seconds or 0.0,
            ok=None if each.state == "running" else each.ok,
            reused=each.reused,
            error=None if each.error is None else str(each.error.get("message", "")),
        )
        for each in record.steps
    ]
    return ExecutionRow(
        id=record.id,
        name=record.name,
        state=_STATES[record.state],  # type: ignore[arg-type]
        started_at_us=record.started_at_us,
        seconds=sum(each.seconds for each in steps),
        steps=steps,
        reason=str(record.parameters.get("why", "")),
    )


def _notes(parts: Parts) -> list[str]:
    kept = parts.ledger.records(NOTE_KIND, limit=1)
    return [str(each) for each in kept[0].body["sentences"]] if kept else []


def _recent(parts: Parts, states: list[DeploymentState]) -> list[str]:
    """Return ids worth following: the examples that were kept, else the newest of the log."""
    found: list[str] = []
    for state in states:
        kept = parts.ledger.records("example", where={"deployment": state.name}, limit=1)
        found += [str(each) for each in kept[0].body["predictions"]] if kept else []
        if not kept:
            found += _newest(parts, state.name)
    return found[:_SHOWN_PREDICTIONS]


def _newest(parts: Parts, deployment: str) -> list[str]:
    stream = parts.predictions(deployment)
    span = stream.span()
    if span is None:
        return []
    rows = stream.read(start_us=span[1], columns=("prediction_id",))
    ids = rows.slice(0, _SHOWN_PREDICTIONS).column("prediction_id").to_pylist()
    return [str(each) for each in ids]


def _addresses(parts: Parts) -> dict[str, Any]:
    path = parts.state / "addresses.json"
    if not path.exists():
        return {}
    kept = msgspec.json.decode(path.read_bytes())
    return {"addresses": kept.get("addresses", {}), "curl": kept.get("curl", "")}
