"""Whether what is served equals what is computed from the data: after the fact, and before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import PlatformError
from tondo.stages.monitoring.consistency import (
    ConsistencyReport,
    FeatureConsistency,
    consistency,
    tolerances_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.scoring.package import PackageContents
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.bootstrap import Parts

KIND = "consistency"
SERVED_ROWS = 1_000
"""Training rows that a version must compute alike on both ways before it is deployed."""
LEAST_WITHIN = 0.999
"""Least share of those rows that a feature with a tolerance must agree on: of a discontinuous
function above an inexact one, a row in a thousand may fall on the other side of a step."""


class CheckedConsistency(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a deployment's logged vectors."""

    deployment: str
    window: str | None
    """The trailing window that was sampled; None: the whole log."""
    at_us: int
    report: ConsistencyReport


def keep_consistency(
    parts: Parts, deployment: str, *, rows: int, window_us: int | None, window: str | None
) -> CheckedConsistency:
    """Recompute logged vectors, keep the report, open alerts for what differs and close the rest.

    The window ends at the project's present.
    """
    from tondo.stages.monitoring.alerts import alerts, close_all, report_findings
    from tondo.stages.monitoring.findings import consistency_findings
    from tondo.workspace.present import present
    from tondo.workspace.recompute import recompute_logged

    at_us = present(parts, [deployment]).now_us
    start_us = None if window_us is None else at_us - window_us
    report = recompute_logged(parts, deployment, rows=rows, start_us=start_us)
    checked = CheckedConsistency(deployment=deployment, window=window, at_us=at_us, report=report)
    found = consistency_findings(report, deployment=deployment, at_us=at_us)
    told = {each.key for each in found}
    equal = {f"{KIND}/{deployment}/{each.name}" for each in report.features} - told
    with parts.ledger.transaction():
        parts.ledger.put(KIND, parts.ledger.new_id(), checked)
        report_findings(found, ledger=parts.ledger, clock=parts.clock)
        mended = [
            each
            for each in alerts(ledger=parts.ledger)
            if each.key in equal and each.status != "closed"
        ]
        why = f"all of {report.rows} logged vectors computed again are equal in it"
        close_all(mended, ledger=parts.ledger, by="monitoring", why=why)
    return checked


def last_consistency(parts: Parts, deployment: str) -> CheckedConsistency | None:
    """Return the last look at a deployment's logged vectors, or None."""
    kept = parts.ledger.records(KIND, where={"deployment": deployment}, limit=1)
    return msgspec.convert(kept[0].body, CheckedConsistency) if kept else None


def check_served(parts: Parts, version: ModelVersion) -> ConsistencyReport:
    """Refuse a version that would serve its own training rows otherwise: TD-DEPLOY-008.

    The package is loaded as a scorer loads it, its samples scored again; then rows of its training
    set are turned into vectors by the function that will answer, and by the engine that made the
    training matrix.
    """
    from tondo.scoring.model import load_model
    from tondo.scoring.package import open_package

    contents = open_package(parts.blobs.get(version.package), key=parts.key)
    load_model(contents, parts.runtimes).close()
    report = served_consistency(parts, contents, _training_rows(parts, version))
    for feature in report.features:
        if feature.share < (LEAST_WITHIN if feature.tolerance else 1.0):
            raise _served_otherwise(version, feature)
    return report


def _served_otherwise(version: ModelVersion, feature: FeatureConsistency) -> PlatformError:
    row, served, computed = feature.examples[0]
    return PlatformError(
        "TD-DEPLOY-008",
        f"version {version.number} of '{version.name}' would serve '{feature.name}' otherwise than"
        f" it was trained: {feature.rows - feature.equal} of {feature.rows} training rows differ,"
        f" in row {row} {served!r} is served and {computed!r} was learned from",
        expected="one value of a feature, whoever computes it",
        fix="Nothing was deployed. Train again with this version of tondo; if it stays, report the"
        " expression and the row.",
        feature=feature.name,
    )


def served_consistency(
    parts: Parts, contents: PackageContents, rows: pa.Table
) -> ConsistencyReport:
    """Compare vectors by the served function with those by the engine, for rows with all inputs."""
    import numpy as np

    from tondo.language.rows import compile_vector
    from tondo.stages.features.newest_rows import plain_values
    from tondo.stages.training.matrix import feature_matrix

    compute = compile_vector(contents.features)
    names = rows.column_names
    columns = [plain_values(rows, name) for name in names]
    served = [compute(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
    return consistency(
        np.array(served, dtype=np.float64).reshape(len(served), len(contents.features)),
        feature_matrix(contents.features, rows, engine=parts.engine),
        names=list(contents.features),
        tolerances=tolerances_of(contents.features),
    )


def _training_rows(parts: Parts, version: ModelVersion) -> pa.Table:
    """Return some rows of what the version was trained on, from the beginning of each part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tondo.stages.features.training_set import read_training_set, training_table
    from tondo.stages.training.run import Run

    run = parts.ledger.read("run", version.run, Run)
    training_set = read_training_set(run.training_set, ledger=parts.ledger)
    read: list[str] = [*training_set.inputs, *(each[0] for each in training_set.view_features)]
    batches: list[Any] = []
    for path in training_table(training_set, blobs=parts.blobs).paths:
        with pq.ParquetFile(path) as file:
            groups = file.num_row_groups
            for group in range(groups):
                each = -(-SERVED_ROWS // groups)
                batches.append(next(file.iter_batches(each, row_groups=[group], columns=read)))
    return pa.Table.from_batches(batches)
