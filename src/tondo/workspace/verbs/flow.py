"""Verbs on the whole: executions, lineage, the overview, the doctor."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, NotFoundError, near

if TYPE_CHECKING:
    from tondo.flow.values import ExecutionRecord, Explanation
    from tondo.ledger import Lineage, Record
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.doctor import DoctorFinding
    from tondo.workspace.open_months import OpenMonthsReader
    from tondo.workspace.pages import Overview


class FlowVerbs:
    """What a workspace tells of itself."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def executions(self, *, name: str | None = None, limit: int = 20) -> list[ExecutionRecord]:
        """List executions with their steps, the newest first."""
        return self._parts.executions.newest(name=name, limit=limit)

    def execution(self, execution_id: str) -> ExecutionRecord:
        """Return an execution with its steps."""
        return self._parts.executions.get(execution_id)

    def explain(self, execution_id: str, step: str) -> Explanation:
        """Say which part of a step's key changed since the execution before."""
        return self._parts.executions.explain(execution_id, step)

    def record(self, record_id: str) -> Record:
        """Return a record of the ledger by the start of its id."""
        found = self._parts.ledger.find_by_prefix(record_id)
        if len(found) == 1:
            return found[0]
        if not found:
            raise NotFoundError(
                "TD-WORKSPACE-009",
                f"no record's id begins with '{record_id}'",
                expected="the start of an id that tondo showed",
                id=record_id,
            )
        exact = [each for each in found if each.id == record_id]
        # A run and its judgement share an id; what is asked for is the thing, not what was said.
        own = [each for each in exact or found if each.kind not in {"judgement", "statistics"}]
        if len(own) == 1:
            return own[0]
        raise CallerError(
            "TD-WORKSPACE-010",
            f"'{record_id}' begins the ids of {len(found)} records",
            expected="enough of the id to tell them apart",
            fix=near(record_id, [f"{each.kind} {each.id}" for each in found[:10]]),
            id=record_id,
        )

    def lineage(self, record_id: str, *, direction: str = "up", depth: int = 50) -> Lineage:
        """Walk from a record, or a prediction, to what it came from (up) or led to (down)."""
        if direction not in {"up", "down"}:
            raise CallerError(
                "TD-WORKSPACE-011",
                f"'{direction}' is no direction",
                expected="'up' to what it came from, or 'down' to what it led to",
            )
        record = self._record_or_model(record_id)
        return self._parts.ledger.lineage(
            record.kind,
            record.id,
            direction="up" if direction == "up" else "down",
            depth=depth,
        )

    def overview(self) -> Overview:
        """Return the project at a glance: what the first page shows."""
        from tondo.workspace.overview import overview

        return overview(self._parts, self._open_months)

    @cached_property
    def _open_months(self) -> OpenMonthsReader:
        """Keeps between two looks what took long to measure."""
        from tondo.workspace.open_months import OpenMonthsReader

        return OpenMonthsReader(self._parts)

    def doctor(self) -> list[DoctorFinding]:
        """Look for what is wrong with installation, project and state, and how to mend it."""
        from tondo.workspace.doctor import examine

        return examine(self._parts)

    def _record_or_model(self, record_id: str) -> Record:
        if self._parts.ledger.find_by_prefix(record_id):
            return self.record(record_id)
        from tondo.workspace.predictions import prediction_detail

        detail = prediction_detail(self._parts, record_id)
        return self._parts.ledger.get("model_version", detail.model_version_id)
