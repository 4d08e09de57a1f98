"""Evaluation: a loaded package scores labelled rows, and the report says what that was worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tondo.stages.evaluation.calibration import calibration_curve
from tondo.stages.evaluation.curves import precision_recall_curve, roc_curve
from tondo.stages.evaluation.delong import auc_interval
from tondo.stages.evaluation.metrics import binary_metrics, brier, log_loss
from tondo.stages.evaluation.report import ConstantBaseline, HistogramBin, Report, Subject
from tondo.stages.evaluation.slices import SliceReport, slice_reports
from tondo.stages.training.columns import column_of, times_of
from tondo.stages.training.matrix import feature_matrix, label_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from tondo.ports.engine import Engine
    from tondo.scoring.model import LoadedModel
    from tondo.stages.training.leakage import Leak

HISTOGRAM_BINS = 20
"""Bars of the score histogram, of equal width from 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredRows:
    """Labelled rows with a model's scores, in the order of the table."""

    table: pa.Table
    """The labelled rows."""
    matrix: np.ndarray
    scores: np.ndarray
    positive: np.ndarray
    unlabelled: int


def score_table(model: LoadedModel, table: Any, *, engine: Engine) -> np.ndarray:
    """Return the packaged model's scores of a table's rows, in their order.

    The table holds the package's inputs and its `@view.feature[key]` columns.
    """
    return model.score_matrix(feature_matrix(model.contents.features, table, engine=engine))


def evaluate(
    model: LoadedModel,
    table: Any,
    *,
    label: str,
    engine: Engine,
    subject: Subject,
    time: str | None = None,
    slices: Sequence[str] = (),
) -> Report:
    """Score the labelled rows of `table` by the packaged model and report.

    `label` and `time` are columns of the table, `slices` columns or features. Decisions are made
    at the package's threshold; the constant baseline says the training rows' base rate.
    Errors: TD-EVAL-001 (scores or labels unusable), TD-TRAIN-001 (a column is missing).
    """
    rows = score_labelled(model, table, label=label, engine=engine)
    return report_of(model, rows, subject=subject, time=time, slices=slices)


def report_of(
    model: LoadedModel,
    rows: ScoredRows,
    *,
    subject: Subject,
    time: str | None = None,
    slices: Sequence[str] = (),
    leaks: Sequence[Leak] = (),
) -> Report:
    """Report on rows that the packaged model has scored already, as `evaluate` does.

    `leaks` are those that its run found.
    """
    scores, positive = rows.scores, rows.positive
    threshold = model.contents.threshold
    times = times_of(rows.table, time) if time is not None and len(scores) else None
    return Report(
        subject=subject,
        rows=len(scores),
        unlabelled=rows.unlabelled,
        positives=int(positive.sum()),
        from_us=None if times is None else int(times.min()),
        last_us=None if times is None else int(times.max()),
        threshold=threshold,
        metrics=binary_metrics(scores, positive, threshold=threshold),
        auc_interval=auc_interval(scores, positive),
        baseline=_constant(model, positive),
        roc=roc_curve(scores, positive),
        precision_recall=precision_recall_curve(scores, positive),
        calibration=calibration_curve(scores, positive),
        histogram=_histogram(scores, positive),
        slices=_slices(model, rows, slices),
        leaks=list(leaks),
    )


def score_labelled(model: LoadedModel, table: Any, *, label: str, engine: Engine) -> ScoredRows:
    """Return the rows of `table` whose label is known, scored."""
    import numpy as np

    whole = engine.scan(table)
    truth = label_vector(whole, label)
    known = ~np.isnan(truth)
    labelled = whole if known.all() else whole.filter(known)
    matrix = feature_matrix(model.contents.features, labelled, engine=engine)
    return ScoredRows(
        table=labelled,
        matrix=matrix,
        scores=model.score_matrix(matrix),
        positive=truth[known] == 1.0,
        unlabelled=int((~known).sum()),
    )


def _constant(model: LoadedModel, positive: np.ndarray) -> ConstantBaseline | None:
    import numpy as np

    rate = model.contents.training.get("base_rate")
    if rate is None:
        return None
    constant = np.full(len(positive), float(rate))
    return ConstantBaseline(
        rate=float(rate), log_loss=log_loss(constant, positive), brier=brier(constant, positive)
    )


def _histogram(scores: np.ndarray, positive: np.ndarray) -> list[HistogramBin]:
    import numpy as np

    edges = np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1)
    counts = [np.histogram(scores[chosen], edges)[0] for chosen in (~positive, positive)]
    return [
        HistogramBin(
            low=float(edges[at]),
            high=float(edges[at + 1]),
            negatives=int(counts[0][at]),
            positives=int(counts[1][at]),
        )
        for at in range(HISTOGRAM_BINS)
    ]


def _slices(model: LoadedModel, rows: ScoredRows, names: Sequence[str]) -> list[SliceReport]:
    import pyarrow as pa

    features = list(model.contents.features)
    found: list[SliceReport] = []
    for name in names:
        if name not in rows.table.column_names and name in features:
            values = pa.array(rows.matrix[:, features.index(name)], from_pandas=True)
        else:
            values = column_of(rows.table, name).combine_chunks()
        found += slice_reports(name, values, rows.scores, rows.positive)
    return found
