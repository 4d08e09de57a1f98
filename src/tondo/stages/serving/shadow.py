"""Shadows: a version that scores what is asked of a deployment, and answers nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import ConflictError, NotFoundError, near
from tondo.scoring.plan import PlannedVariant
from tondo.stages.serving.comparison import Comparison

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger

KIND = "shadow"
REPORT_KIND = "shadow_report"
REPORT_ROWS = 500_000
"""Rows that a report is made of: differences of a thousandth show, in seconds and 300 MB."""


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """One wish: let a version score what a deployment is asked, from an instant on."""

    id: str
    deployment: str
    variant: PlannedVariant
    since_us: int
    """Requests answered from here on are scored too."""
    running: bool
    at_us: int
    by: str
    why: str

    @property
    def version(self) -> int:
        """The version's number."""
        return self.variant.version

    @property
    def consumer(self) -> str:
        """What its answers are kept under."""
        return consumer_of(self.variant.version)

    def __repr__(self) -> str:
        """Deployment, version and whether it runs."""
        state = "running" if self.running else "stopped"
        return f"Shadow({self.deployment}: v{self.variant.version} {state})"


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a shadow answered beside production, up to an instant."""

    deployment: str
    model: str
    version: int
    model_version_id: str
    shadow: str
    since_us: int
    at_us: int
    comparison: Comparison
    """Of the newest half million rows or so: a shadow may run for months."""


def consumer_of(version: int) -> str:
    """Return the name under which a version's shadow keeps its answers.

    >>> consumer_of(4)
    'v4'
    """
    return f"v{version}"


def start_shadow(
    deployment: str,
    variant: PlannedVariant,
    *,
    since_us: int,
    ledger: Ledger,
    by: str,
    why: str,
) -> Shadow:
    """Wish a shadow; one that runs already stays as it is."""
    before = find_shadow(deployment, variant.version, ledger=ledger)
    if before is not None and before.running:
        return before
    if before is not None:
        # What it scored counts already; it goes on where it stopped.
        since_us = min(since_us, before.since_us)
    return _move(
        Shadow(
            id=ledger.new_id(),
            deployment=deployment,
            variant=variant,
            since_us=since_us,
            running=True,
            at_us=ledger.clock.now_us(),
            by=by,
            why=why,
        ),
        before,
        ledger,
    )


def stop_shadow(deployment: str, version: int, *, ledger: Ledger, by: str, why: str) -> Shadow:
    """Wish a shadow no longer; TD-SERVING-004 when it does not run."""
    before = get_shadow(deployment, version, ledger=ledger)
    if not before.running:
        raise ConflictError(
            "TD-SERVING-004",
            f"the shadow of version {version} of '{deployment}' does not run",
            expected="a shadow that was started",
            fix="Nothing is to be done.",
            deployment=deployment,
            version=version,
        )
    stopped = msgspec.structs.replace(
        before, id=ledger.new_id(), running=False, at_us=ledger.clock.now_us(), by=by, why=why
    )
    return _move(stopped, before, ledger)


def get_shadow(deployment: str, version: int, *, ledger: Ledger) -> Shadow:
    """Return a shadow as it is wished now; TD-SERVING-005 when there was never one."""
    found = find_shadow(deployment, version, ledger=ledger)
    if found is None:
        known = [str(each.version) for each in shadows(ledger=ledger, deployment=deployment)]
        raise NotFoundError(
            "TD-SERVING-005",
            f"no shadow of version {version} of '{deployment}'",
            fix=f"{near(str(version), known)} "
            f"Start one: tondo shadow start {deployment} {version}.",
            deployment=deployment,
            version=version,
        )
    return found


def find_shadow(deployment: str, version: int, *, ledger: Ledger) -> Shadow | None:
    """Return a shadow as it is wished now, or None."""
    pointer = ledger.pointer(_pointer(deployment, version))
    return ledger.read(KIND, pointer.target, Shadow) if pointer else None


def shadows(*, ledger: Ledger, deployment: str | None = None) -> list[Shadow]:
    """Return the shadows of one deployment, or of all, by name."""
    prefix = f"{KIND}/" if deployment is None else f"{KIND}/{deployment}/"
    return [ledger.read(KIND, each.target, Shadow) for each in ledger.pointers(prefix)]


def keep_report(report: ShadowReport, *, ledger: Ledger) -> ShadowReport:
    """Keep a report, below the version that it is about."""
    parents = [("model_version", report.model_version_id, "candidate")]
    ledger.put(REPORT_KIND, ledger.new_id(), report, parents=parents)
    return report


def last_report(deployment: str, model_version_id: str, *, ledger: Ledger) -> ShadowReport | None:
    """Return the newest report of a version as a shadow of a deployment, or None."""
    where = {"deployment": deployment, "model_version_id": model_version_id}
    kept = ledger.records(REPORT_KIND, where=where, limit=1)
    return msgspec.convert(kept[0].body, ShadowReport) if kept else None


def _pointer(deployment: str, version: int) -> str:
    return f"{KIND}/{deployment}/v{version}"


def _move(shadow: Shadow, before: Shadow | None, ledger: Ledger) -> Shadow:
    pointer = _pointer(shadow.deployment, shadow.version)
    parents = [("model_version", shadow.variant.model_version_id, "candidate")]
    with ledger.transaction():
        ledger.put(KIND, shadow.id, shadow, parents=parents)
        expect = before.id if before else None
        ledger.move(pointer, shadow.id, expect=expect, by=shadow.by, why=shadow.why)
        state = "started" if shadow.running else "stopped"
        body = {"version": shadow.version, "by": shadow.by, "why": shadow.why}
        ledger.event(f"shadow.{state}", pointer, body)
    return shadow
