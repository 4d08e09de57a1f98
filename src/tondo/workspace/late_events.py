"""The alert that events of a view came too late for any window that may still be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.monitoring.alerts import report_findings
from tondo.stages.monitoring.findings import Finding

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts


def report_late_events(view: str, dropped: int, parts: Parts) -> None:
    """Open or renew the alert, when any were dropped."""
    if not dropped:
        return
    finding = Finding(
        kind="late_events",
        subject=f"view/{view}",
        key=f"late_events/{view}",
        severity="warning",
        message=(
            f"{dropped} events pushed to view '{view}' were older than every window that may "
            "still be read; they are in the log and not in the online store."
        ),
        numbers={"dropped": dropped},
        at_us=parts.clock.now_us(),
    )
    report_findings([finding], ledger=parts.ledger, clock=parts.clock)
