"""What a watch over a deployment found last, kept so that pages need not compute it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.scoring.baseline import read_baseline
from tondo.scoring.package import open_package
from tondo.stages.deployment.deploy import get_deployment
from tondo.stages.monitoring.alerts import alerts, close_all, report_findings
from tondo.stages.monitoring.drift import DriftReport, drift_report
from tondo.stages.monitoring.findings import coverage_finding, drift_findings
from tondo.stages.monitoring.predictions import feature_matrix
from tondo.stages.monitoring.streams import rows_with

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.stages.monitoring.alerts import Alert
    from tondo.stages.monitoring.findings import Finding
    from tondo.stages.monitoring.live import LiveMetrics
    from tondo.workspace.bootstrap import Parts

KIND = "drift"
OF_A_VERSION = frozenset({"drift", "null_burst", "metric_low"})
"""Kinds of alerts whose key names deployment and version after the kind."""
LEAST_COVERAGE = 0.95
"""Below this share of known outcomes, live metrics speak of too few of the predictions."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a deployment's drift."""

    deployment: str
    version: int
    window: str
    at_us: int
    report: DriftReport


def drift_among(parts: Parts, deployment: str, predictions: pa.Table) -> DriftReport:
    """Compare what the live version answered among predictions with its training.

    The table holds `model_version_id`, `score` and `vector`.
    """
    main = get_deployment(deployment, ledger=parts.ledger).main
    contents = open_package(parts.blobs.get(main.package), key=parts.key)
    columns = predictions.select(["model_version_id", "score", "vector"])
    rows = rows_with(columns, "model_version_id", main.model_version_id)
    return drift_report(
        read_baseline(contents.baseline),
        feature_matrix(rows),
        names=list(contents.features),
        scores=rows.column("score").to_numpy(),
    )


def keep_look(
    parts: Parts,
    deployment: str,
    *,
    window: str,
    report: DriftReport,
    overall: LiveMetrics,
    at_us: int,
) -> list[Finding]:
    """Keep a look at the drift and coverage of a window that ends at `at_us`.

    Alerts are opened for what is found, and closed of versions that no longer serve.
    """
    state = get_deployment(deployment, ledger=parts.ledger)
    version = state.main.version
    before = last_drift(parts, deployment)
    if before is not None and before.version != version:
        _close_outdated(parts, deployment, {each.version for each in state.desired.variants})
    watched = Watched(
        deployment=deployment, version=version, window=window, at_us=at_us, report=report
    )
    parts.ledger.put(KIND, parts.ledger.new_id(), watched)
    found = drift_findings(report, deployment=deployment, version=version, at_us=at_us)
    covered = coverage_finding(overall, deployment=deployment, minimum=LEAST_COVERAGE, at_us=at_us)
    if covered is not None:
        found.append(covered)
    report_findings(found, ledger=parts.ledger, clock=parts.clock)
    return found


def _close_outdated(parts: Parts, deployment: str, serving: set[int]) -> None:
    """Close what was found of versions that no longer serve: nobody can act on it."""
    outdated: dict[int, list[Alert]] = {}
    for alert in alerts(ledger=parts.ledger):
        kind, _, rest = alert.key.partition(f"/{deployment}/")
        if alert.status == "closed" or kind not in OF_A_VERSION:
            continue
        version = int(rest.partition("/")[0])
        if version not in serving:
            outdated.setdefault(version, []).append(alert)
    for version, found in outdated.items():
        why = f"version {version} no longer serves"
        close_all(found, ledger=parts.ledger, by="monitoring", why=why)


def last_drift(parts: Parts, deployment: str) -> Watched | None:
    """Return the last look at a deployment, or None."""
    kept = parts.ledger.records(KIND, where={"deployment": deployment}, limit=1)
    return msgspec.convert(kept[0].body, Watched) if kept else None
