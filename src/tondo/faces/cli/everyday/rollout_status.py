"""`tondo rollout status`: where a deployment stands, a line for each condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.stages.deployment.status import DeploymentStatus


def rollout_status(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Tell what is desired, tried and current, with every condition."""
    with opened(project) as workspace:
        status = workspace.rollouts.status(deployment)
    if json:
        show(status, as_json=True)
        return
    show_status(status)


def show_status(status: DeploymentStatus) -> None:
    """Print a deployment's status: who answers and why, then its conditions in their order."""
    from tondo.workspace.live.conditions import limit_of, standing, value_of

    console = console_for_output()
    tried = "" if status.candidate is None else f" \N{RIGHTWARDS ARROW} v{status.candidate}"
    phase = f", {status.phase}" if status.phase else ""
    console.print(
        f"[bold]{status.deployment}  v{status.current}{tried}"
        f"  {status.share * 100:g} % of the traffic{phase}[/bold]"
    )
    console.print(standing(status), markup=False)
    if status.requests:
        share = status.touched / status.requests * 100
        console.print(
            f"the candidate answered {status.touched:,} of {status.requests:,} requests"
            f" ({share:.3g} %) since the rollout began"
        )
    conditions = [
        {
            "condition": each.name,
            "status": each.status,
            "value": value_of(each),
            "limit": limit_of(each),
            "chance": each.chance,
        }
        for each in status.conditions
    ]
    show(conditions)
