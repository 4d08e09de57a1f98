"""From the rows of a training set to a fitted model in the form that will serve it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tondo.core.errors import DataError
from tondo.stages.training.choose import choose_library
from tondo.stages.training.fitting import fit_features, taught_matrix
from tondo.stages.training.leakage import look_for_leaks
from tondo.stages.training.matrix import feature_matrix, label_vector
from tondo.stages.training.qualify import Qualification, qualify
from tondo.stages.training.samples import sample_rows

if TYPE_CHECKING:
    import numpy as np

    from tondo.language.tree import Node
    from tondo.ports.library import FittedModel, ModelForm
    from tondo.ports.runtime import Runtime
    from tondo.scoring.package import Sample
    from tondo.stages.training.job import Job
    from tondo.stages.training.leakage import LeakageReport
    from tondo.stages.training.periods import SplitRows

_SCORED_ROWS = 20_000
"""Newest training rows whose scores are counted when nothing was held back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """Everything that lies between the rows and the package."""

    features: dict[str, Node]
    """Frozen trees in the order of the model's vector."""
    parameters: dict[str, Any]
    """Every hyperparameter."""
    matrix: np.ndarray
    """Of the training rows."""
    label: np.ndarray
    """Of the training rows, float64 0/1."""
    fitted: FittedModel
    form: ModelForm
    qualification: Qualification
    scores: np.ndarray
    """Of the held-back rows, or of the newest training rows when nothing was held back."""
    metrics: dict[str, float | None]
    samples: list[Sample]
    leakage: LeakageReport | None
    """None when nothing was held back."""


def learn(job: Job, rows: SplitRows) -> Learned:
    """Fit features and model on the training rows and choose the form.

    TD-TRAIN-007 when the training rows hold one class only.
    """
    spec, tools, watch = job.spec, job.tools, job.watch
    library, parameters = choose_library(spec, tools.libraries)
    label = label_vector(rows.training, job.label)
    _check_classes(label, job.label)
    with watch.step("features"):
        features = fit_features(
            job.resolved.features, rows.training, engine=tools.engine, label=label
        )
    with watch.step("matrix"):
        matrix = feature_matrix(features, rows.training, engine=tools.engine)
        taught = taught_matrix(features, matrix, rows.training, engine=tools.engine, label=label)
    with watch.step("fit"):
        fitted = library.fit(
            spec.algorithm,
            parameters,
            taught,
            label,
            names=list(features),
            categorical=spec.categorical,
            seed=spec.seed,
            threads=tools.threads,
        )
    with watch.step("qualify"):
        form, runtime, qualification = qualify(
            fitted, matrix, threshold=spec.threshold, runtimes=tools.runtimes
        )
        try:
            held = feature_matrix(features, rows.validation, engine=tools.engine)
            scores, metrics = _held_back(job, rows, held, matrix, runtime)
            columns = [*job.resolved.inputs, *(each[0] for each in job.resolved.view_features)]
            samples = sample_rows(rows.training, matrix, columns, runtime=runtime)
        finally:
            runtime.close()
    with watch.step("leaks"):
        leakage = _leakage(job, rows, features, taught=taught, label=label, held=held)
    return Learned(
        features=features,
        parameters=parameters,
        matrix=matrix,
        label=label,
        fitted=fitted,
        form=form,
        qualification=qualification,
        scores=scores,
        metrics=metrics,
        samples=samples,
        leakage=leakage,
    )


def _held_back(
    job: Job,
    rows: SplitRows,
    held: np.ndarray,
    matrix: np.ndarray,
    runtime: Runtime,
) -> tuple[np.ndarray, dict[str, float | None]]:
    """Return scores and metrics of the held-back rows, or scores of the newest training rows."""
    if rows.validation.num_rows == 0:
        return runtime.predict_table(matrix[-_SCORED_ROWS:]), {}
    scores = runtime.predict_table(held)
    if job.tools.measure is None:
        return scores, {}
    label = label_vector(rows.validation, job.label)
    return scores, dict(job.tools.measure(scores, label, threshold=job.spec.threshold))


def _leakage(
    job: Job,
    rows: SplitRows,
    features: dict[str, Node],
    *,
    taught: np.ndarray,
    label: np.ndarray,
    held: np.ndarray,
) -> LeakageReport | None:
    """Look for leaks among the rows as the model is taught them, and those held back."""
    import numpy as np
    import pyarrow as pa

    if rows.judged.num_rows == 0:
        return None
    split, both = job.spec.split, rows.validation
    if rows.test.num_rows:
        both = pa.concat_tables([rows.validation, rows.test])
        tested = feature_matrix(features, rows.test, engine=job.tools.engine)
        held = np.concatenate([held, tested])
    keys = {key: None for _, _, _, key in job.resolved.view_features if key in job.resolved.inputs}
    if split.by == "group":
        keys[str(split.column)] = None
    return look_for_leaks(
        taught,
        label,
        held,
        names=list(features),
        keys={key: (rows.training.column(key), both.column(key)) for key in keys},
        by=split.by if job.period.train_until_us is None else "time",
        label_known_early=job.training_set.label_known_early,
        rows=job.training_set.rows,
    )


def _check_classes(label: np.ndarray, name: str) -> None:
    positives = int(label.sum())
    if 0 < positives < len(label):
        return
    which = "positive" if positives else "negative"
    raise DataError(
        "TD-TRAIN-007",
        f"all {len(label)} training rows are {which} ('{name}')",
        expected="rows of both classes",
        fix="Look at the label expression, or learn from a longer time.",
    )
