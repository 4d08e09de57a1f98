"""Verbs on batches: what new files of a dataset are compared with, how far they are, the door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tondo.stages.data.movement import Movement
    from tondo.stages.data.tracked_items import TrackedAnomaly
    from tondo.workspace.batches import Sifted
    from tondo.workspace.bootstrap import Parts


class AcceptedRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that new files of a dataset are compared with."""

    dataset: str
    snapshot: str
    rows: int | None
    """How many were learnt from; None when they are too few to say what is usual."""
    columns: int
    """How many columns are compared."""
    orders: int
    """How many pairs of columns have an order that is watched."""
    relations: list[str] = []
    """What held between columns in every row, as formulas."""


class BatchVerbs:
    """What a workspace does with data that arrives."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def sift(self, dataset: str, *, by: str = "") -> Sifted:
        """Check the files that are new since the last training, and set bad ones aside."""
        from tondo.workspace.batches import sift

        return sift(self._parts, dataset, by=by or self._parts.actor)

    def accept(self, dataset: str, *, by: str = "", why: str = "") -> AcceptedRows:
        """Take the newest snapshot as what later files are compared with."""
        from tondo.workspace.reference import accept

        accept(self._parts, dataset, by=by or self._parts.actor, why=why or "accepted by hand")
        return self.reference(dataset)

    def dismiss(self, anomaly_id: str, *, why: str, by: str = "") -> TrackedAnomaly:
        """Give up the files that were set aside with a tracked anomaly, and say why; it closes.

        Errors: TD-ANOMALY-001, -002 (closed already), -004 (no reason), -005 (no file of it was
        set aside, so there is something to correct or to accept).
        """
        from tondo.stages.data.tracking import dismiss
        from tondo.workspace.refusals import close_refusal

        by = by or self._parts.actor
        item = dismiss(anomaly_id, ledger=self._parts.ledger, by=by, why=why)
        close_refusal(item.dataset, self._parts, by=by, why=item.why)
        return item

    def reference(self, dataset: str) -> AcceptedRows:
        """Return what new files are compared with (TD-DATA-061 before anything was accepted)."""
        from tondo.core.errors import NotFoundError
        from tondo.workspace.reference import present_reference

        found = present_reference(self._parts, dataset)
        if found is None:
            raise NotFoundError(
                "TD-DATA-061",
                f"no rows of '{dataset}' have been accepted yet",
                expected="a model trained on them, or rows accepted by hand",
                fix=f"Run: tondo batch accept {dataset}",
                dataset=dataset,
            )
        profile = found.profile
        return AcceptedRows(
            dataset=dataset,
            snapshot=found.snapshot,
            rows=None if profile is None else profile.rows,
            columns=0 if profile is None else len(profile.columns),
            orders=0 if profile is None else len(profile.orders),
            relations=[] if profile is None else [each.formula for each in profile.relations],
        )

    def movements(self, ref: str) -> list[Movement]:
        """Return every measure of what is new in a snapshot beside the accepted rows."""
        from tondo.stages.data.references import referenced_dataset, resolve
        from tondo.workspace.reference import snapshot_movements

        ledger = self._parts.ledger
        dataset = referenced_dataset(ref, ledger=ledger)
        self.reference(dataset)
        return snapshot_movements(self._parts, dataset, resolve(ref, ledger=ledger).snapshot)
