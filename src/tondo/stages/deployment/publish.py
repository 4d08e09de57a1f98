"""Publish the serving plan: commit it in the ledger, then tell the scorers by the pointer file.

The ledger is the truth. A kill between the commit and the file leaves scorers on the plan before,
until `reconcile` writes the file again; scorers ignore a number that is not above their own.
"""

from __future__ import annotations

import contextlib
import fcntl
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DataError, PlatformError
from tondo.scoring.plan import (
    PlanPointer,
    ServingPlan,
    decode_plan,
    encode_plan,
    read_pointer,
    write_pointer,
)
from tondo.stages.deployment.deploy import deployments, read_state
from tondo.stages.deployment.state import KIND, pointer_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.services import ServiceSettings
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.plan import PlannedDeployment, PlannedVariant
    from tondo.stages.deployment.state import DeploymentState

PLAN_KIND = "serving_plan"
PLAN_POINTER = "serving/plan"

KEPT_VERSIONS = 4
"""Versions that answered before and stay reachable by id, number and tag; each costs the scorers
its memory, and a rollback goes one back."""


def publish_plan(
    *,
    ledger: Ledger,
    blobs: Blobs,
    clock: Clock,
    pointer_path: Path,
    by: str,
    why: str,
    views: Mapping[str, ViewLayout] | None = None,
    services: Mapping[str, ServiceSettings] | None = None,
) -> ServingPlan:
    """Commit the plan of all deployments and write the pointer file; return the plan.

    A plan that says what the last one said is not committed again. `views` are the layouts that
    the packages read, `services` whom asked views ask; None keeps those of the last plan.
    """
    plan = commit_plan(
        ledger=ledger,
        blobs=blobs,
        clock=clock,
        by=by,
        why=why,
        views=views,
        services=services,
    )
    reconcile(ledger=ledger, blobs=blobs, pointer_path=pointer_path)
    return plan


def commit_plan(
    *,
    ledger: Ledger,
    blobs: Blobs,
    clock: Clock,
    by: str,
    why: str,
    views: Mapping[str, ViewLayout] | None = None,
    services: Mapping[str, ServiceSettings] | None = None,
) -> ServingPlan:
    """Commit the plan's blob, record and pointer in one transaction, and touch no file."""
    with ledger.transaction():
        pointer = ledger.pointer(PLAN_POINTER)
        last = decode_plan(blobs.get(pointer.target)) if pointer else None
        states = deployments(ledger=ledger)
        plan = ServingPlan(
            number=pointer.number + 1 if pointer else 1,
            published_at_us=clock.now_us(),
            deployments={each.name: _planned(each, ledger) for each in states},
            views=dict(views) if views is not None else last.views if last else {},
            services=dict(services) if services is not None else last.services if last else {},
        )
        if last is not None and _same(plan, last):
            return last
        digest = blobs.put(encode_plan(plan))
        ledger.put(
            PLAN_KIND,
            digest,
            {"number": plan.number, "deployments": {each.name: each.id for each in states}},
            parents=[(KIND, each.id, each.name) for each in states],
        )
        expect = pointer.target if pointer else None
        ledger.move(PLAN_POINTER, digest, expect=expect, by=by, why=why)
        ledger.event("plan.published", PLAN_POINTER, {"number": plan.number, "digest": digest})
    return plan


def reconcile(*, ledger: Ledger, blobs: Blobs, pointer_path: Path) -> PlanPointer | None:
    """Make the pointer file name the last committed plan; return it, or None without a plan.

    Harmless to call at any time: it writes only when the file says something else. Where that
    fails, TD-PLAN-006: the scorers go on with the plan before.
    """
    pointer = ledger.pointer(PLAN_POINTER)
    if pointer is None:
        return None
    try:
        with _alone(pointer_path):
            # Read again: another publisher may have moved it while the lock was waited for.
            pointer = ledger.pointer(PLAN_POINTER) or pointer
            number = decode_plan(blobs.get(pointer.target)).number
            committed = PlanPointer(number=number, digest=pointer.target)
            if not _says(pointer_path, committed):
                write_pointer(pointer_path, committed)
            return committed
    except OSError as error:
        raise PlatformError(
            "TD-PLAN-006",
            f"plan {pointer.target[:12]} is committed, and the scorers cannot be told: "
            f"{pointer_path}: {error.strerror}",
            expected="a folder that can be written to, with space on its disk",
            fix="Mend that, then tell them again: tondo deployment reconcile.",
            path=str(pointer_path),
        ) from None


def last_plan(*, ledger: Ledger, blobs: Blobs) -> ServingPlan | None:
    """Return the last committed plan, or None."""
    pointer = ledger.pointer(PLAN_POINTER)
    return decode_plan(blobs.get(pointer.target)) if pointer else None


def _says(path: Path, pointer: PlanPointer) -> bool:
    try:
        return read_pointer(path) == pointer
    except DataError:
        # A damaged file is replaced like a missing one: the ledger knows what it must say.
        return False


def _same(plan: ServingPlan, last: ServingPlan) -> bool:
    return plan.deployments == last.deployments and plan.views == last.views


def _planned(state: DeploymentState, ledger: Ledger) -> PlannedDeployment:
    model = state.main.model
    return msgspec.structs.replace(
        state.desired,
        variants=tagged(state.desired.variants, model, ledger=ledger),
        addressable=tagged(_earlier(state, ledger), model, ledger=ledger),
    )


def tagged(
    variants: Sequence[PlannedVariant], model: str, *, ledger: Ledger
) -> list[PlannedVariant]:
    """Return variants of a model with the tags that their versions carry now."""
    tags = _tags(model, ledger)
    return [
        msgspec.structs.replace(each, tags=sorted(tags.get(each.model_version_id, [])))
        for each in variants
    ]


def _tags(model: str, ledger: Ledger) -> dict[str, list[str]]:
    prefix = f"model/{model}@"
    tags: dict[str, list[str]] = {}
    for pointer in ledger.pointers(prefix):
        tags.setdefault(pointer.target, []).append(pointer.name.removeprefix(prefix))
    return tags


def _earlier(state: DeploymentState, ledger: Ledger) -> list[PlannedVariant]:
    found = {each.model_version_id for each in state.desired.variants}
    kept: list[PlannedVariant] = []
    for move in reversed(ledger.history(pointer_of(state.name))):
        for variant in read_state(move.target, ledger=ledger).desired.variants:
            if len(kept) == KEPT_VERSIONS:
                return kept
            if variant.model_version_id not in found:
                found.add(variant.model_version_id)
                name = f"v{variant.version}"
                kept.append(msgspec.structs.replace(variant, name=name, weight=0.0))
    return kept


@contextlib.contextmanager
def _alone(pointer_path: Path) -> Iterator[None]:
    # Two publishers must not write the file in the other order than they committed in.
    pointer_path.parent.mkdir(parents=True, exist_ok=True)
    with pointer_path.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
