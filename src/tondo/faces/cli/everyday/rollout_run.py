"""`tondo rollout run`: advance a rollout in the foreground, to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.everyday.rollout_status import show_status
from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.stages.deployment.rollout import Step

_LOOK_EVERY_S = 1.0
ABORTED = 1


def rollout_run(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Advance a rollout every second until it ends; `tondo serve` does the same by itself.

    Exit code 1 when it was aborted.
    """
    from tondo.stages.deployment.rollout_records import get_running_rollout

    with opened(project) as workspace:
        get_running_rollout(deployment, ledger=workspace.parts.ledger)
        said = ""
        while (step := workspace.rollouts.advance(deployment)) is not None:
            if not json and repr(step) != said:
                said = repr(step)
                _tell(step)
            if step.action == "abort":
                break
            if step.action == "wait":
                time.sleep(_LOOK_EVERY_S)
        status = workspace.rollouts.status(deployment)
        if json:
            show(status, as_json=True)
        else:
            show_status(status)
        if status.phase == "aborted":
            raise typer.Exit(ABORTED)


def _tell(step: Step) -> None:
    colour = {"abort": "red", "promote": "green"}.get(step.action, "dim")
    console_for_output().print(f"[{colour}]{step.action}[/{colour}] {step.reason}")
