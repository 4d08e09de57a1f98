"""Alerts: findings that somebody should look at, one open alert per fact.

The same fact found every day is one alert that says since when and until when; it opens anew only
after somebody closed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.canonical import digest
from tondo.core.errors import ConflictError, NotFoundError, near
from tondo.core.instants import format_instant
from tondo.stages.monitoring.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.stages.monitoring.findings import Finding

FINDING_KIND = "finding"
ALERT_KIND = "alert"

Status = Literal["open", "acknowledged", "closed"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One fact and what became of it; each change is a new value with the same id."""

    id: str
    key: str
    kind: str
    subject: str
    severity: Severity
    message: str
    """The sentence of the last finding."""
    status: Status = "open"
    first_seen_us: int
    last_seen_us: int
    seen: int = 1
    """How many findings told this fact."""
    by: str | None = None
    """Who acknowledged or closed it."""
    why: str | None = None

    def __repr__(self) -> str:
        """Status, severity, days and message in one line."""
        first, last = format_instant(self.first_seen_us)[:10], format_instant(self.last_seen_us)
        return f"Alert({self.status} {self.severity}, {first} to {last[:10]}: {self.message})"


def report_findings(findings: Iterable[Finding], *, ledger: Ledger, clock: Clock) -> list[Alert]:
    """Keep findings, open or renew their alerts; return the alerts as they are now."""
    with ledger.transaction():
        return [_report(each, ledger, clock) for each in findings]


def alerts(*, ledger: Ledger, status: Status | None = None) -> list[Alert]:
    """Return the last alert of every fact, newest sighting first."""
    found = [_read(each.target, ledger) for each in ledger.pointers(f"{ALERT_KIND}/")]
    kept = [each for each in found if status is None or each.status == status]
    return sorted(kept, key=lambda each: (-each.last_seen_us, each.key))


def find_alert(alert_id: str, *, ledger: Ledger) -> Alert:
    """Return an alert as it is now, by its id; TD-MONITOR-003 when there is none."""
    known = alerts(ledger=ledger)
    for alert in known:
        if alert.id == alert_id:
            return alert
    raise NotFoundError(
        "TD-MONITOR-003",
        f"no alert '{alert_id}'",
        fix=near(alert_id, [each.id for each in known]),
        alert=alert_id,
    )


def acknowledge(alert_id: str, *, ledger: Ledger, by: str, why: str) -> Alert:
    """Say that somebody looks after an open alert; TD-MONITOR-004 when it is closed."""
    return _change(alert_id, "acknowledged", ledger=ledger, by=by, why=why)


def close(alert_id: str, *, ledger: Ledger, by: str, why: str) -> Alert:
    """Close an alert; the same fact found again opens a new one. TD-MONITOR-004 when closed."""
    return _change(alert_id, "closed", ledger=ledger, by=by, why=why)


def close_all(open_alerts: Iterable[Alert], *, ledger: Ledger, by: str, why: str) -> list[Alert]:
    """Close alerts that were just read and are not closed, all for one reason."""
    with ledger.transaction():
        return [_turn(each, "closed", ledger, by=by, why=why) for each in open_alerts]


def _report(finding: Finding, ledger: Ledger, clock: Clock) -> Alert:
    finding_id = ledger.new_id()
    ledger.put(FINDING_KIND, finding_id, finding)
    pointer = ledger.pointer(_pointer_of(finding.key))
    last = _read(pointer.target, ledger) if pointer else None
    if last is None or last.status == "closed":
        alert = Alert(
            id=ledger.new_id(),
            key=finding.key,
            kind=finding.kind,
            subject=finding.subject,
            severity=finding.severity,
            message=finding.message,
            first_seen_us=finding.at_us,
            last_seen_us=finding.at_us,
        )
        _keep(alert, finding_id, ledger, by="monitoring", why=finding.message)
        body = {"alert": alert.id, "key": alert.key, "message": alert.message}
        ledger.event("alert.opened", alert.subject, {**body, "at_us": clock.now_us()})
        return alert
    renewed = msgspec.structs.replace(
        last,
        severity=finding.severity,
        message=finding.message,
        last_seen_us=max(last.last_seen_us, finding.at_us),
        seen=last.seen + 1,
    )
    _keep(renewed, finding_id, ledger, by="monitoring", why=finding.message)
    return renewed


def _change(alert_id: str, status: Status, *, ledger: Ledger, by: str, why: str) -> Alert:
    with ledger.transaction():
        alert = find_alert(alert_id, ledger=ledger)
        if alert.status == "closed":
            raise ConflictError(
                "TD-MONITOR-004",
                f"alert '{alert_id}' was closed by {alert.by}: {alert.why}",
                expected="an alert that is open or acknowledged",
                fix="Nothing is to be done; the same fact found again opens a new alert.",
                alert=alert_id,
            )
        return _turn(alert, status, ledger, by=by, why=why)


def _turn(alert: Alert, status: Status, ledger: Ledger, *, by: str, why: str) -> Alert:
    changed = msgspec.structs.replace(alert, status=status, by=by, why=why)
    _keep(changed, None, ledger, by=by, why=why)
    body = {"alert": alert.id, "key": alert.key, "by": by, "why": why}
    ledger.event(f"alert.{status}", alert.subject, body)
    return changed


def _keep(alert: Alert, finding_id: str | None, ledger: Ledger, *, by: str, why: str) -> None:
    record = ledger.new_id()
    parents = [(FINDING_KIND, finding_id, "seen")] if finding_id else []
    ledger.put(ALERT_KIND, record, alert, parents=parents)
    name = _pointer_of(alert.key)
    pointer = ledger.pointer(name)
    ledger.move(name, record, expect=pointer.target if pointer else None, by=by, why=why)


def _pointer_of(key: str) -> str:
    # A key may hold any column's name; a pointer's name is plain and short.
    return f"{ALERT_KIND}/{digest(key)[:32]}"


def _read(record: str, ledger: Ledger) -> Alert:
    return ledger.read(ALERT_KIND, record, Alert)
