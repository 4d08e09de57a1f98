"""Leaks that a run found, as findings: an alert a fact, closed when a later run is free of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import NotFoundError
from tondo.stages.monitoring.alerts import alerts, close_all, report_findings
from tondo.stages.monitoring.findings import leakage_findings
from tondo.stages.training.run import KIND, Run

if TYPE_CHECKING:
    from tondo.stages.training.leakage import LeakageReport
    from tondo.workspace.bootstrap import Parts


def tell_leaks(parts: Parts, run: Run) -> None:
    """Open or renew an alert for each leak of a run; close those that it no longer has."""
    if run.leakage is None:
        return
    found = leakage_findings(run.leakage, model=run.model, at_us=run.ended_at_us)
    told = {each.key for each in found}
    with parts.ledger.transaction():
        report_findings(found, ledger=parts.ledger, clock=parts.clock)
        gone = [
            each
            for each in alerts(ledger=parts.ledger)
            if each.key.startswith(f"leakage/{run.model}/")
            and each.key not in told
            and each.status != "closed"
        ]
        why = f"run {run.id} has it no longer"
        close_all(gone, ledger=parts.ledger, by="training", why=why)


def leakage_of(parts: Parts, run: Run) -> LeakageReport:
    """Return what a run, or the judged run that it refits, found; TD-TRAIN-012 when nothing."""
    judged = run if run.refit_of is None else parts.ledger.read(KIND, run.refit_of, Run)
    if judged.leakage is None:
        raise NotFoundError(
            "TD-TRAIN-012",
            f"run {judged.id} held nothing back, so nobody looked for leaks",
            expected="a run with rows on both sides of a split",
            fix=f"Train again: tondo model train {run.model}",
            run=run.id,
        )
    return judged.leakage
