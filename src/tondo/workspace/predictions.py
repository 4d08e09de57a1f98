"""One prediction: what went in, what came true, and the way back to its source rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.durations import format_duration
from tondo.core.errors import NotFoundError
from tondo.core.instants import format_instant
from tondo.workspace.pages import LineageNode, LineageStage, Outcome, PredictionDetail
from tondo.workspace.source_rows import newest_row, rows_in_window, rows_of_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tondo.ledger import Record
    from tondo.ports.engine import FileTable
    from tondo.scoring.package import PackageContents
    from tondo.stages.features.views import FeatureView
    from tondo.workspace.bootstrap import Parts

_SHOWN_ROWS = 5
_ASKED_AGAIN_US = 86_400_000_000
"""A caller that got no answer asks again within a day; the first acknowledged answer counts."""
_ROLES = {
    "run": "trained by",
    "report": "judged by",
    "training_set": "learned from",
    "feature_view": "through",
    "snapshot": "read from",
}


def prediction_detail(parts: Parts, prediction_id: str) -> PredictionDetail:
    """Return everything known of a prediction; TD-WORKSPACE-007 when no log holds it."""
    from tondo.scoring.package import open_package
    from tondo.stages.registry.versions import ModelVersion

    deployment, row = _find(parts, prediction_id)
    version = parts.ledger.read("model_version", row["model_version_id"], ModelVersion)
    contents = open_package(parts.blobs.get(version.package), key=parts.key)
    score, logged = row["score"], _readable(msgspec.json.decode(row["inputs"]), contents.inputs)
    decided = contents.threshold is not None and score is not None
    return PredictionDetail(
        id=prediction_id,
        deployment=deployment,
        model=row["model"],
        version=row["version"],
        model_version_id=row["model_version_id"],
        variant=row["variant"],
        at_us=_us(row["at"]),
        as_of_us=_us(row["as_of"]),
        score=score,
        threshold=contents.threshold,
        decision=score >= contents.threshold if decided else None,
        label_name=str(contents.spec.get("label", "")),
        purpose=row["purpose"],
        latency_us=row["latency_us"],
        outcome=_outcome(parts, deployment, row),
        inputs={name: value for name, value in logged.items() if name[:1] not in {"@", "="}},
        looked_up={name: value for name, value in logged.items() if name.startswith("@")},
        vector=dict(zip(contents.features, map(_number, row["vector"]), strict=False)),
        stages=_stages(parts, deployment, version, contents, row),
    )


def _find(parts: Parts, prediction_id: str) -> tuple[str, dict[str, Any]]:
    """Return the deployment that answered, and the answer that was acknowledged first."""
    from tondo.stages.deployment.deploy import deployments
    from tondo.stages.monitoring.predictions import first_of_each
    from tondo.stages.monitoring.streams import micros
    from tondo.stages.serving.stream import streams
    from tondo.workspace.consuming.streams import streamed

    names = [each.name for each in deployments(ledger=parts.ledger)]
    logs = [(name, parts.predictions(name)) for name in names]
    logs += [
        (each.deployment, streamed(parts, each.deployment, each.source))
        for each in streams(ledger=parts.ledger)
    ]
    for name, log in logs:
        newest = log.find("prediction_id", prediction_id, columns=("as_of",))
        if newest.num_rows:
            end_us = int(micros(newest, "as_of").max()) + 1
            rows = log.find(
                "prediction_id",
                prediction_id,
                start_us=end_us - _ASKED_AGAIN_US,
                end_us=end_us,
                all_segments=True,
            )
            return name, dict(first_of_each(rows).to_pylist()[0])
    raise NotFoundError(
        "TD-WORKSPACE-007",
        f"no prediction '{prediction_id}' is logged",
        expected="an id from the log of " + (", ".join(names) or "a deployment (there is none)"),
        fix="Ids stand in the scorer's answers.",
        prediction=prediction_id,
    )


def _outcome(parts: Parts, deployment: str, row: dict[str, Any]) -> Outcome | None:
    """Return what came true: the outcome that arrived last."""
    stream = parts.outcomes(deployment)
    found = stream.find(
        "prediction_id", row["prediction_id"], start_us=_us(row["as_of"]), all_segments=True
    )
    rows = found.to_pylist()
    if not rows:
        return None
    last = max(rows, key=lambda each: each["recorded_at"])
    return Outcome(
        label=last["label"],
        event_time_us=_us(last["event_time"]),
        recorded_at_us=_us(last["recorded_at"]),
    )


def _stages(
    parts: Parts, deployment: str, version: Any, contents: PackageContents, row: dict[str, Any]
) -> list[LineageStage]:
    ledger = parts.ledger
    lineage = ledger.lineage("model_version", version.id, direction="up")
    by_kind: dict[str, list[Record]] = {}
    for node in lineage.nodes:
        by_kind.setdefault(node.kind, []).append(node)
    state = ledger.pointer(f"deployment/{deployment}")
    stages = [
        LineageStage(
            role="answered by",
            nodes=[
                LineageNode(
                    kind="deployment",
                    id=state.target if state else deployment,
                    title=deployment,
                    detail=f"variant {row['variant']}, model {row['model']}",
                )
            ],
        ),
        LineageStage(
            role="with",
            nodes=[
                LineageNode(
                    kind="model_version",
                    id=version.id,
                    title=f"{version.name} version {version.number}",
                    detail=f"package {version.package[:12]}",
                    at_us=version.registered_at_us,
                )
            ],
        ),
    ]
    commits = _commits(parts, by_kind.get("snapshot", []))
    datasets = {each.body["snapshot"]: str(each.body["dataset"]) for each in commits}
    stages += [
        LineageStage(role=role, nodes=[_node(each, datasets) for each in by_kind[kind]])
        for kind, role in _ROLES.items()
        if kind in by_kind
    ]
    if commits:
        nodes = [_commit_node(each) for each in commits]
        stages.append(LineageStage(role="committed as", nodes=nodes))
    stages.append(LineageStage(role="whose rows said", nodes=_rows_read(parts, contents, row)))
    return stages


def _node(record: Record, datasets: dict[str, str]) -> LineageNode:
    """Return a record as a station; `datasets` names the dataset of each snapshot."""
    body = record.body
    titles = {
        "run": f"run of {body.get('model', '')}",
        "report": "evaluation report",
        "training_set": f"training set {body.get('name', '')}",
        "feature_view": f"view {body.get('definition', {}).get('view', '')}",
        "snapshot": datasets.get(record.id, "snapshot"),
    }
    facts: dict[str, Any] = {}
    if record.kind == "run":
        facts = {"algorithm": body["algorithm"], "rows": body["rows"]["training"]}
    elif record.kind == "report":
        facts = {"rows": body["rows"], "auc": _short(body["metrics"].get("auc"))}
    elif "rows" in body:
        facts = {"rows": body["rows"]}
    return LineageNode(
        kind=record.kind,
        id=record.id,
        title=titles.get(record.kind, record.kind),
        detail="refit on all rows" if body.get("refit_of") else "",
        at_us=record.created_at_us,
        facts=facts,
    )


def _commits(parts: Parts, snapshots: list[Record]) -> list[Record]:
    """Return the newest commit of each snapshot that was committed."""
    return [
        record
        for snapshot in snapshots
        for record in parts.ledger.records("commit", where={"snapshot": snapshot.id}, limit=1)
    ]


def _commit_node(record: Record) -> LineageNode:
    body = record.body
    return LineageNode(
        kind="commit",
        id=record.id,
        title=f"{body['dataset']}@{body['branch']}",
        detail=f"by {body['by']}: {body['why']}",
        at_us=record.created_at_us,
        facts={"rows": body["rows"], "snapshot": body["snapshot"][:12]},
    )


def _rows_read(parts: Parts, contents: PackageContents, row: dict[str, Any]) -> list[LineageNode]:
    """Return, for each view that was read, the source rows that made its value."""
    inputs = msgspec.json.decode(row["inputs"])
    pairs = dict.fromkeys((view, key) for _, view, _, key in contents.view_features)
    return [
        found
        for view, key in pairs
        if (found := _rows_of_view(parts, view, inputs.get(key), _us(row["as_of"]))) is not None
    ]


def _rows_of_view(parts: Parts, name: str, key: Any, as_of_us: int) -> LineageNode | None:
    """Return the rows of a view's source that its values were made of at an instant."""
    from tondo.workspace.verbs.data import DataVerbs

    view = parts.views.get(name)
    if view is None or key is None or parts.ledger.pointer(f"dataset/{view.source}@main") is None:
        return None
    rows, what = _rows_known(DataVerbs(parts).table(view.source), view, key, as_of_us)
    shown = [_plain(each) for each in rows.slice(0, _SHOWN_ROWS).to_pylist()]
    return LineageNode(
        kind="rows",
        id=f"{view.source}:{key}",
        title=f"{rows.num_rows} of {view.source}, {view.entity.key} {key}",
        detail=what,
        facts={f"row {place + 1}": each for place, each in enumerate(shown)},
    )


def _rows_known(
    source: FileTable, view: FeatureView, key: Any, as_of_us: int
) -> tuple[pa.Table, str]:
    """Return a key's rows as a view read them, and which they are in words."""
    column, time = view.entity.key, view.event_time
    if time is None:
        return rows_of_key(source, column, key), "the row of its key"
    window_us = max((call.window_us for call in view.windows.values()), default=0)
    if not window_us:
        row = newest_row(source, column, key, time=time, until_us=as_of_us)
        return row, "the newest row at the time"
    rows = rows_in_window(
        source, column, key, time=time, start_us=as_of_us - window_us, end_us=as_of_us
    )
    what = f"rows of the {format_duration(window_us)} before"
    if rows.num_rows > _SHOWN_ROWS:
        what += f", the newest {_SHOWN_ROWS} shown"
    return rows, what


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: format_instant(_us(value)) if hasattr(value, "tzinfo") else value
        for name, value in row.items()
        if value is not None
    }


def _readable(inputs: dict[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    """Return logged inputs as people write them: the log holds instants in microseconds."""
    return {
        name: format_instant(value)
        if types.get(name) == "timestamp" and isinstance(value, int)
        else value
        for name, value in inputs.items()
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _us(value: Any) -> int:
    from tondo.core.instants import to_micros

    return to_micros(value)


def _number(value: float) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124 - NaN is not itself
