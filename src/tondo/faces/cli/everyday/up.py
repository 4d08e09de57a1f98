"""`tondo up`: from definitions to a served model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tondo.faces.cli.everyday.serve import (
    Port,
    ScorerPort,
    serve_until_the_end,
    serving,
)
from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.workspace.facade import Workspace
    from tondo.workspace.pipelines.retrain import Retraining

REFUSED = 1


def up(
    *,
    project: Project = HERE,
    end: Annotated[bool, typer.Option("--exit", help="Do not serve; end when it is done.")] = False,
    port: Port = None,
    scorer_port: ScorerPort = None,
    plan: Plan = False,
    json: Json = False,
) -> None:
    """Take the project to a served model: read, check, train, judge, deploy, serve."""
    with opened(project) as workspace:
        if plan:
            show(_plan(workspace), as_json=json)
            return
        models = _raise_up(workspace, quiet=json)
        if json:
            show(models, as_json=True)
        if any(not each.passed for each in models):
            raise typer.Exit(REFUSED)
        if end or json:
            return
        with serving(workspace.parts, port=port, scorer_port=scorer_port) as (web, scorer):
            serve_until_the_end(web, scorer, parts=workspace.parts)


def _plan(workspace: Workspace) -> dict[str, Any]:
    definitions = workspace.parts.project.definitions
    return {
        "would": [
            f"{verb} {each.name}"
            for kind, verb in (
                ("source", "read and check"),
                ("dataset", "derive"),
                ("view", "define and load"),
                ("model", "train, judge, register and deploy"),
            )
            for each in definitions
            if each.kind == kind
        ],
        "live_now": [each.name for each in workspace.deployment.deployments()],
    }


def _raise_up(workspace: Workspace, *, quiet: bool) -> list[Retraining]:
    from tondo.workspace.pipelines.up import up as raise_up

    parts = workspace.parts
    console = console_for_output()
    if quiet:
        return raise_up(parts, by=parts.actor, why="tondo up").models
    with console.status("reading the project ...") as status:

        def on_step(step: Any) -> None:
            if step.state == "running":
                status.update(f"{step.name} ...")
                return
            said = "[dim]as before[/dim]" if step.reused else f"{step.seconds or 0.0:6.2f} s"
            sign = "[green]done[/green]" if step.ok else "[red]failed[/red]"
            console.print(f"{sign}  {step.name}  {said}")

        parts.executions.around.on_step = on_step
        found = raise_up(parts, by=parts.actor, why="tondo up")
    for each in found.models:
        for reason in each.reasons:
            console.print(f"      {reason}", markup=False)
        console.print(_verdict(each))
    return found.models


def _verdict(found: Retraining) -> str:
    if not found.passed:
        return f"[red]{found.model} may not serve[/red]: the gate refused run {found.run}"
    how = "is being tried as a canary" if found.rollout else "is live"
    return f"[green]{found.model} version {found.version} {how}[/green]"
