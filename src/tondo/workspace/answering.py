"""Answering in this process: the serving plan, its packages and the online store, no server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tondo.scoring.asked import AskedViews
from tondo.scoring.model import load_model
from tondo.scoring.package import open_package
from tondo.scoring.path import ScoringPath
from tondo.scoring.plan import deployment_of
from tondo.scoring.serving import Serving, shared_inputs
from tondo.workspace.publishing import plan_of

if TYPE_CHECKING:
    from tondo.scoring.answer import Answer
    from tondo.scoring.plan import PlannedVariant
    from tondo.workspace.bootstrap import Parts


class Answering:
    """Scores on the last committed plan exactly as a scorer does, and logs as it says."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def score(
        self, deployment: str, rows: list[dict[str, Any]], *, as_of_us: int | None = None
    ) -> Answer:
        """Answer for rows of request columns; TD-WORKSPACE-006 when nothing was deployed."""
        plan = plan_of(self._parts, deployment)
        planned = deployment_of(plan, deployment)
        servings = [self._serving(each) for each in planned.variants]
        inputs = shared_inputs(servings, deployment)
        appender = self._parts.eventlog.appender(
            f"predictions/{deployment}",
            f"workspace-{os.getpid()}",
            durability="synced" if planned.log_mode == "synced" else "written",
        )
        asked = AskedViews(plan.services, self._parts.feature_service) if plan.services else None
        path = ScoringPath(
            planned,
            servings,
            inputs=inputs,
            clock=self._parts.clock,
            ids=self._parts.ids,
            appender=appender,
            asked=asked,
        )
        try:
            read = [
                inputs.read_mapping(row, where=f"rows[{place}].") for place, row in enumerate(rows)
            ]
            answer = path.score(read, as_of_us=as_of_us)
            if path.synced:
                path.sync()
        finally:
            appender.close()
            if asked is not None:
                asked.close()
            for each in servings:
                each.model.close()
        return answer

    def _serving(self, variant: PlannedVariant) -> Serving:
        contents = open_package(self._parts.blobs.get(variant.package), key=self._parts.key)
        model = load_model(contents, self._parts.runtimes)
        return Serving(variant, model, online=self._parts.online)
