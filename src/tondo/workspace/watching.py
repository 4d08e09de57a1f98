"""What a watch over a deployment found last, kept so that pages need not compute it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts

from tondo.stages.monitoring.drift import DriftReport

KIND = "drift"


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a deployment's drift."""

    deployment: str
    version: int
    window: str
    at_us: int
    report: DriftReport


def keep_drift(parts: Parts, watched: Watched) -> None:
    """Keep a look, under an id of its own."""
    parts.ledger.put(KIND, parts.ledger.new_id(), watched)


def last_drift(parts: Parts, deployment: str) -> Watched | None:
    """Return the last look at a deployment, or None."""
    kept = parts.ledger.records(KIND, where={"deployment": deployment}, limit=1)
    return msgspec.convert(kept[0].body, Watched) if kept else None
