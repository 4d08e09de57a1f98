"""The alert that files of a dataset were set aside; it closes with the last of their anomalies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.data.tracked_items import tracked
from tondo.stages.monitoring.alerts import alerts, close_all, report_findings
from tondo.stages.monitoring.findings import Finding

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts


def report_refusal(dataset: str, sentences: tuple[str, ...], parts: Parts) -> None:
    """Open or renew the alert with what was wrong with each file."""
    finding = Finding(
        kind="batch_refused",
        subject=f"dataset/{dataset}",
        key=_key(dataset),
        severity="critical",
        message=f"{len(sentences)} new files of {dataset} were set aside: {sentences[0]}",
        numbers={"files": len(sentences)},
        at_us=parts.clock.now_us(),
    )
    report_findings([finding], ledger=parts.ledger, clock=parts.clock)


def close_refusal(dataset: str, parts: Parts, *, by: str, why: str) -> None:
    """Close the alert when no open anomaly waits for a file any longer."""
    waiting = tracked(ledger=parts.ledger, dataset=dataset, state="open")
    if any(each.files for each in waiting):
        return
    found = [
        each
        for each in alerts(ledger=parts.ledger)
        if each.key == _key(dataset) and each.status != "closed"
    ]
    close_all(found, ledger=parts.ledger, by=by, why=why)


def _key(dataset: str) -> str:
    return f"batch_refused/{dataset}"
