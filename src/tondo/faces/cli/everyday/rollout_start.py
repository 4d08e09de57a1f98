"""`tondo rollout start`: a first share of traffic for a candidate, or the plan of it."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.everyday.rollout_preview import Pace, show_preview
from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened
from tondo.faces.cli.plain import show_plan
from tondo.faces.cli.show import console_for_output, show


def rollout_start(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    version: Annotated[str, typer.Argument(help="Number, id or tag of the candidate.")],
    *,
    pace: Pace = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE[,VALUE]: rows that go to the candidate. Once for each."),
    ] = None,
    no_shadow: Annotated[
        bool, typer.Option("--no-shadow", help="Start though the candidate was never a shadow.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who does it; you, when left out.")] = "",
    why: Annotated[str, typer.Option(help="Why it is done; kept in the history.")] = "",
    project: Project = HERE,
    plan: Plan = False,
    json: Json = False,
) -> None:
    """Send a first share of traffic to a candidate version."""
    from tondo.workspace.operations import operation

    with opened(project) as workspace:
        if plan and json:
            asked = {"deployment": deployment, "version": version, "pace": pace}
            arguments = {**asked, "target": target or [], "no_shadow": no_shadow}
            show_plan(operation("rollout.start"), arguments, workspace, as_json=True)
            return
        if plan:
            console_for_output().print("[bold]Planned; nothing was done[/bold]")
            show_preview(workspace.rollouts.preview(deployment, version, pace=pace))
            return
        rollout = workspace.rollouts.start(
            deployment, version, pace=pace, target=target, no_shadow=no_shadow, by=by, why=why
        )
    show(rollout, as_json=json)
    if json:
        return
    console_for_output().print(f"[dim]how it goes:[/dim] tondo rollout status {deployment}")
