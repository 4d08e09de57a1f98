"""The serving plan: a change of deployments and its plan as one, told to the scorers, read back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.services import ServiceSettings
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.plan import ServingPlan
    from tondo.workspace.bootstrap import Parts


@contextmanager
def published(parts: Parts, *, by: str) -> Iterator[list[str]]:
    """Commit what is done within and its plan as one, then tell the scorers.

    The block appends the reason.
    """
    from tondo.stages.deployment.publish import commit_plan

    told: list[str] = []
    with parts.ledger.transaction():
        yield told
        commit_plan(
            ledger=parts.ledger,
            blobs=parts.blobs,
            clock=parts.clock,
            by=by or parts.actor,
            why=told[0],
            views=layouts(parts),
            services=services(parts),
        )
    tell_scorers(parts)


def tell_scorers(parts: Parts) -> int:
    """Tell the scorers the last committed plan; return its number, 0 without one."""
    from tondo.stages.deployment.publish import reconcile

    pointer = reconcile(ledger=parts.ledger, blobs=parts.blobs, pointer_path=parts.plan_pointer)
    return 0 if pointer is None else pointer.number


def plan_of(parts: Parts, deployment: str) -> ServingPlan:
    """Return the last committed plan; TD-WORKSPACE-006 when nothing was deployed."""
    from tondo.stages.deployment.publish import last_plan

    plan = last_plan(ledger=parts.ledger, blobs=parts.blobs)
    if plan is None:
        raise ConflictError(
            "TD-WORKSPACE-006",
            f"'{deployment}' cannot answer: nothing was deployed yet",
            fix="Deploy a version: tondo model deploy MODEL.",
            deployment=deployment,
        )
    return plan


def layouts(parts: Parts) -> dict[str, ViewLayout]:
    """Return the layout of each view, as it is read online."""
    from tondo.stages.features.views import layout_of

    return {view.name: layout_of(view) for view in parts.views.values()}


def services(parts: Parts) -> dict[str, ServiceSettings]:
    """Return whom asked views ask."""
    from tondo.stages.features.asked import service_of

    return {view.name: service_of(view) for view in parts.views.values() if view.asked}
