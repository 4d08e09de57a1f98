"""The report: everything that is known of a packaged model on one set of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import digest
from tondo.stages.evaluation.calibration import CalibrationBin
from tondo.stages.evaluation.curves import CurvePoint
from tondo.stages.evaluation.delong import Interval
from tondo.stages.evaluation.slices import SliceReport
from tondo.stages.training.leakage import Leak

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger

KIND = "report"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What was judged, and on what."""

    model: str
    package: str
    """Digest of the sealed package."""
    run: str | None = None
    training_set: str | None = None
    """Digest of the training set whose rows were scored."""


class ConstantBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """The model that says the training rows' base rate to everybody; its AUC is 0.5."""

    rate: float
    log_loss: float | None
    brier: float | None
    auc: float = 0.5


class HistogramBin(msgspec.Struct, frozen=True, kw_only=True):
    """Scores from `low` up to, and in the last bin with, `high`."""

    low: float
    high: float
    negatives: int
    positives: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A binary model's report; its id is the digest of all of it."""

    subject: Subject
    task: str = "binary"
    rows: int
    """Labelled rows that were scored."""
    unlabelled: int
    """Rows left out because their label is null."""
    positives: int
    from_us: int | None = None
    """Instant of the first row, when the rows have a time."""
    last_us: int | None = None
    """Instant of the last row."""
    threshold: float | None
    metrics: dict[str, float | None]
    """By name; None where the rows do not define it (an AUC without positives)."""
    auc_interval: Interval | None
    baseline: ConstantBaseline | None
    """None when the package does not say its training rows' base rate."""
    roc: list[CurvePoint]
    precision_recall: list[CurvePoint]
    calibration: list[CalibrationBin]
    histogram: list[HistogramBin]
    slices: list[SliceReport]
    leaks: list[Leak] = []
    """What its run found that may tell the answer already."""

    @property
    def id(self) -> str:
        """Digest of the canonical JSON."""
        return digest(self)

    def __repr__(self) -> str:
        """Say the model and the headline metrics."""
        return f"Report({self.subject.model!r}, rows={self.rows}, {headline(self)})"

    def _repr_html_(self) -> str:
        """Return a small page for notebooks."""
        from tondo.stages.evaluation.report_html import report_html

        return report_html(self)


def headline(report: Report) -> str:
    """Return AUC with its interval, log loss and the constant's log loss as one text."""
    found = report.metrics.get("auc")
    text = "auc=none" if found is None else f"auc={found:.4f}"
    if report.auc_interval is not None:
        text += f" ({report.auc_interval.low:.4f}..{report.auc_interval.high:.4f})"
    loss = report.metrics.get("log_loss")
    if loss is not None:
        text += f", log_loss={loss:.4f}"
    if report.baseline is not None and report.baseline.log_loss is not None:
        text += f" (constant {report.baseline.log_loss:.4f})"
    return text


def keep_report(report: Report, *, ledger: Ledger) -> str:
    """Write the report under its digest, linked to its run and training set; return the id."""
    subject = report.subject
    parents = [("package", subject.package, "judged")]
    parents += [("run", subject.run, "of_run")] if subject.run else []
    parents += [("training_set", subject.training_set, "rows")] if subject.training_set else []
    ledger.put(KIND, report.id, report, parents=parents)
    return report.id
