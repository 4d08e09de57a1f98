"""The run: the record of one training, from its parents to the package it sealed."""

from __future__ import annotations

from typing import Any

import msgspec

from tondo.stages.training.leakage import LeakageReport
from tondo.stages.training.periods import Period
from tondo.stages.training.qualify import Qualification
from tondo.stages.training.spec import Split

KIND = "run"


class RunRows(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were used for what."""

    training: int
    validation: int
    test: int = 0
    """Held back from everything but the report."""
    unlabelled: int
    """Left out because their label is null."""
    positives: int
    """Of the training rows."""

    @property
    def base_rate(self) -> float:
        """Share of positives among the training rows."""
        return self.positives / self.training


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One finished training. Times are microseconds UTC, by the clock handed in."""

    id: str
    model: str
    spec: str
    """Digest of the model spec."""
    training_set: str
    """Digest of the training set."""
    task: str
    algorithm: str
    parameters: dict[str, Any]
    """Every hyperparameter, defaults included."""
    features: list[str]
    seed: int
    threads: int
    rows: RunRows
    first_time_us: int
    """Instant of the oldest row learned from."""
    last_training_time_us: int
    """Instant of the newest row learned from."""
    validation_from_us: int | None
    """First instant held back; None when nothing was, or not by time."""
    split: Split = Split()
    """How rows were held back, unless `period` says it."""
    period: Period = Period()
    package: str
    """Digest of the sealed package."""
    package_bytes: int
    model_digest: str
    """Digest of the model files alone; equal for equal data, spec, seed and library."""
    qualification: Qualification
    metrics: dict[str, float | None] = {}
    """Of the packaged model on the validation rows."""
    importance: dict[str, float]
    notes: dict[str, Any] = {}
    """What the library said: trees, iterations, convergence."""
    leakage: LeakageReport | None = None
    """What may tell the answer already; None when nothing was held back."""
    environment: str
    """Digest of the record of kind `environment`."""
    seconds: dict[str, float]
    """Step to wall seconds, in the order they were done."""
    started_at_us: int
    ended_at_us: int
    refit_of: str | None = None
    """Run of the same spec whose verdict this refit on more rows takes over."""
    schema_version: str | None = None
    """Version of its source's schema; None where the source had none."""

    def __repr__(self) -> str:
        """Say what was learned from how much, and how long it took."""
        total = sum(self.seconds.values())
        found = self.metrics.get("auc")
        text = "" if found is None else f", auc={found:.4f}"
        return (
            f"Run({self.model!r}, {self.algorithm}, rows={self.rows.training}{text}, "
            f"seconds={total:.2f}, id={self.id!r})"
        )

    def _repr_html_(self) -> str:
        """Return a small page for notebooks."""
        from tondo.stages.training.run_html import run_html

        return run_html(self)
