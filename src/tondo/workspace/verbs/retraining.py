"""Verbs on learning again: the policy's check, and the retraining itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import placed

if TYPE_CHECKING:
    from tondo.stages.retraining.decision import Decision
    from tondo.stages.retraining.policy import RetrainingPolicy
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.pipelines.retrain import Retraining


class RetrainingVerbs:
    """What a workspace does to keep a model from ageing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def policy(self, model: str) -> RetrainingPolicy:
        """Return the policy of a model, as the project defines it."""
        from tondo.stages.retraining.policy import read_policy

        found = self._parts.project.get("retraining", model)
        body = {**found.body}
        body["model"] = body.pop("retraining")
        with placed(str(found.place)):
            return read_policy(body)

    def check_policy(self, model: str) -> Decision:
        """Tell what the policy decides now, and why; nothing is started or kept."""
        from tondo.workspace.control import decision_now

        return decision_now(self._parts, self.policy(model))

    def run_due(self, model: str) -> Decision | None:
        """Make the check when it is due and start what it decides; None when it is not due.

        A check is made once for each instant, whatever kills come between.
        """
        from tondo.workspace.control import run_due

        return run_due(self._parts, self.policy(model))

    def retrain(self, model: str, *, by: str = "", why: str = "") -> Retraining:
        """Retrain: learn, judge against what serves, refit on all rows, try as a canary."""
        from tondo.workspace.pipelines.retrain import retrain

        return retrain(
            self._parts,
            self.policy(model),
            by=by or self._parts.actor,
            why=why or "asked by hand",
        )
