"""The quality of a model's labels: out-of-fold scores from training, judged by the data stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import digest
from tondo.core.durations import parse_duration_us
from tondo.core.instants import format_instant
from tondo.stages.data.labels import LabelQuality, label_quality
from tondo.stages.data.snapshots import write_file
from tondo.stages.evaluation.metrics import binary_metrics
from tondo.stages.features.training_set import TrainingSet, training_table
from tondo.stages.training.fitting import fit_features
from tondo.stages.training.folds import check_count
from tondo.stages.training.matrix import feature_matrix, label_vector
from tondo.stages.training.out_of_fold import out_of_fold_scores
from tondo.workspace.pipelines import learning
from tondo.workspace.verbs.data import DataVerbs

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tondo.ports.progress import Progress
    from tondo.stages.features.resolve import ResolvedFeatures
    from tondo.stages.training.spec import ModelSpec
    from tondo.workspace.bootstrap import Parts

LABELS_KIND = "label_report"
MOST_SUSPECTS = 100
"""Suspected labels that a report keeps; all are counted."""
_EXAMPLES = 20
_LABEL, _TIME, _KNOWN = "@label", "@time", "@known"
"""Names that no feature can have."""


class SuspectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row whose label is suspected, as a person looks at it."""

    row_id: str
    label: str
    suggested: str
    score: float
    """Out-of-fold probability of the positive class."""
    fold: int
    values: dict[str, Any]
    """What the features read of the row."""


class LabelReport(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of the labels that a model is trained on."""

    model: str
    source: str
    """The dataset that the labels are of."""
    spec: str
    training_set: str
    scores: str
    """Blob of the out-of-fold scores and folds, a row for each row of the training set."""
    folds: int
    folded_by: str
    """`time`, or the column of which rows with one value stayed together."""
    auc: float | None
    """Of the out-of-fold scores: what they are worth as witnesses."""
    quality: LabelQuality
    examples: tuple[SuspectedRow, ...]
    """The most suspicious rows first."""


def judge_labels(
    parts: Parts,
    model: str,
    *,
    folds: int = 5,
    group: str | None = None,
    horizon: str | None = None,
) -> LabelReport:
    """Score a model's training rows out of fold, and report on the quality of its labels.

    Scores are remembered: the same rows, spec and folds are trained on once. A model whose split is
    by group is scored by folds of whole groups, unless `group` says another. `horizon` (`7d`) is
    how long a label may take; unsaid, that of the model's deployment. Errors: TD-LABEL-003.
    """
    check_count(folds)
    spec = learning.read_spec(parts, model)
    resolved = learning.resolve(parts, spec)
    if group is None and spec.split.by == "group":
        group = spec.split.column
    horizon = _horizon(parts, model) if horizon is None else horizon
    if horizon is not None:
        parse_duration_us(horizon)
    now_us = parts.clock.now_us()
    asked = {"model": model, "folds": folds, "group": group}
    with parts.executions.run("labels", {**asked, "at": format_instant(now_us)}) as execution:
        training_set = learning.build(parts, spec, resolved, until_us=now_us)
        scores = execution.step(
            "scores",
            lambda progress: _scores(
                parts, spec, resolved, training_set, folds=folds, group=group, progress=progress
            ),
            inputs={"training_set": training_set.id},
            parameters={"spec": spec.id, "folds": folds, "group": group},
            packages=learning.packages_of(spec.algorithm),
        )
        report = _report(
            parts, spec, resolved, training_set, scores=scores, horizon=horizon, asked=asked
        )
        return _keep(parts, report)


def newest_label_report(parts: Parts, model: str) -> LabelReport | None:
    """Return the last report on a model's labels, None when nobody asked for one."""
    found = parts.ledger.records(LABELS_KIND, where={"model": model}, limit=1)
    return msgspec.convert(found[0].body, LabelReport) if found else None


def _scores(
    parts: Parts,
    spec: ModelSpec,
    resolved: ResolvedFeatures,
    training_set: TrainingSet,
    *,
    folds: int,
    group: str | None,
    progress: Progress,
) -> str:
    """Return the blob of scores and folds, a row for each row of the training set."""
    import pyarrow as pa

    table = _rows(parts, training_set, spec, also=(group,))
    found = out_of_fold_scores(
        spec,
        table,
        label=str(training_set.label),
        resolved=resolved,
        tools=learning.tools(parts),
        folds=folds,
        group=group,
        progress=progress,
    )
    kept = pa.table({"score": found.scores, "fold": found.folds})
    return write_file(kept, blobs=parts.blobs, note=f"out-of-fold scores of {spec.model}").digest


def _rows(
    parts: Parts, training_set: TrainingSet, spec: ModelSpec, *, also: tuple[str | None, ...]
) -> pa.Table:
    """Return a training set's rows, with some of the source's columns that no feature reads."""
    table = parts.engine.scan(training_table(training_set, blobs=parts.blobs))
    more = [name for name in also if name is not None and name not in table.column_names]
    if not more:
        return table
    source = DataVerbs(parts).table(training_set.spine)
    known = [name for name in more if name in source.columns]
    spine = parts.engine.scan(source, [spec.row_id, *known])
    place = {row: at for at, row in enumerate(spine.column(spec.row_id).to_pylist())}
    order = [place[row] for row in table.column(spec.row_id).to_pylist()]
    for name in known:
        table = table.append_column(name, spine.column(name).take(order))
    return table


def _report(
    parts: Parts,
    spec: ModelSpec,
    resolved: ResolvedFeatures,
    training_set: TrainingSet,
    *,
    scores: str,
    horizon: str | None,
    asked: dict[str, Any],
) -> LabelReport:
    import numpy as np
    from pyarrow import parquet

    kept = parquet.read_table(parts.blobs.local_path(scores))
    score, fold = kept.column("score").to_numpy(), kept.column("fold").to_numpy()
    rows = _rows(parts, training_set, spec, also=(spec.label_known_at,))
    quality = label_quality(
        _judged(parts, resolved, rows, spec, str(training_set.label)),
        label=_LABEL,
        features=list(resolved.features),
        time=_TIME,
        known_at=_KNOWN if spec.label_known_at else None,
        horizon=horizon,
        as_of_us=parts.clock.now_us(),
        definition=spec.label,
        scores=score,
    )
    target = label_vector(rows, str(training_set.label))
    known = ~(np.isnan(target) | np.isnan(score))
    return LabelReport(
        model=spec.model,
        source=spec.source,
        spec=spec.id,
        training_set=training_set.id,
        scores=scores,
        folds=asked["folds"],
        folded_by=asked["group"] or "time",
        auc=binary_metrics(score[known], target[known], threshold=None)["auc"],
        quality=msgspec.structs.replace(
            quality, label=spec.model, suspects=quality.suspects[:MOST_SUSPECTS]
        ),
        examples=_examples(quality, rows, spec.row_id, score=score, fold=fold),
    )


def _judged(
    parts: Parts, resolved: ResolvedFeatures, rows: pa.Table, spec: ModelSpec, label: str
) -> pa.Table:
    """Return the model's vector as columns, beside label and times under names of our own.

    What is fitted is learnt on all labelled rows here: equal rows are equal for the last model.
    """
    import pyarrow as pa

    labelled = rows.filter(rows.column(label).is_valid())
    target = label_vector(labelled, label)
    features = fit_features(resolved.features, labelled, engine=parts.engine, label=target)
    matrix = feature_matrix(features, rows, engine=parts.engine)
    columns = {name: matrix[:, at] for at, name in enumerate(features)}
    table = pa.table({**columns, _LABEL: rows.column(label), _TIME: rows.column(spec.time)})
    if spec.label_known_at is None:
        return table
    return table.append_column(_KNOWN, rows.column(spec.label_known_at))


def _examples(
    quality: LabelQuality, rows: pa.Table, row_id: str, *, score: np.ndarray, fold: np.ndarray
) -> tuple[SuspectedRow, ...]:
    chosen = quality.suspects[:_EXAMPLES]
    found = rows.take([each.row for each in chosen]).to_pylist()
    return tuple(
        SuspectedRow(
            row_id=str(values[row_id]),
            label=each.label,
            suggested=each.suggested,
            score=float(score[each.row]),
            fold=int(fold[each.row]),
            values={name: _plain(value) for name, value in values.items()},
        )
        for each, values in zip(chosen, found, strict=True)
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; times as text."""
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _horizon(parts: Parts, model: str) -> str | None:
    """Return how long the model's deployment waits for an outcome, if it says so."""
    for each in parts.project.of("deployment").values():
        if each.body.get("model") == model and "label_horizon" in each.body:
            return str(each.body["label_horizon"])
    return None


def _keep(parts: Parts, report: LabelReport) -> LabelReport:
    id = digest(report)  # noqa: A001 - the ledger's word
    if parts.ledger.find(LABELS_KIND, id) is None:
        lines = [("training_set", report.training_set, "labels of")]
        parts.ledger.put(LABELS_KIND, id, report, parents=lines)
    return report
