"""Where a deployment's models run: beside others, or in a process of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.deployment.deploy import (
    check_limit,
    commit_state,
    get_deployment,
    rollout_runs,
)

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger
    from tondo.ports.clock import Clock
    from tondo.stages.deployment.state import DeploymentState


def place(
    name: str,
    *,
    process: bool,
    memory_mb: int | None = None,
    ledger: Ledger,
    clock: Clock,
    by: str,
    why: str,
) -> DeploymentState:
    """Run a deployment's models in a process of their own, or (`process=False`) with the others.

    `memory_mb` is the most that the process may take, None for no limit; TD-DEPLOY-030 where it is
    too little for any model, or given for none. TD-DEPLOY-003 while a rollout runs.
    """
    check_limit(name, memory_mb, process=process)
    with ledger.transaction():
        before = get_deployment(name, ledger=ledger)
        if before.rollout is not None:
            raise rollout_runs(name)
        desired = msgspec.structs.replace(
            before.desired, isolate="process" if process else "none", memory_mb=memory_mb
        )
        if desired == before.desired:
            return before
        state = msgspec.structs.replace(
            before,
            id=ledger.new_id(),
            desired=desired,
            previous=before.id,
            at_us=clock.now_us(),
            by=by,
            why=why,
        )
        commit_state(state, before=before, ledger=ledger)
    return state
