"""`tondo shadow stop`: the end of a shadow, and its last report in words."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.everyday.shadow_report import show_report
from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened
from tondo.faces.cli.plain import show_plan


def shadow_stop(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    version: Annotated[str, typer.Argument(help="A version's number, id or tag.")],
    *,
    by: Annotated[str, typer.Option(help="Who does it; you, when left out.")] = "",
    why: Annotated[str, typer.Option(help="Why it is done; kept in the history.")] = "",
    project: Project = HERE,
    plan: Plan = False,
    json: Json = False,
) -> None:
    """Let a shadow score no longer; show what it scored beside production."""
    from tondo.workspace.operations import operation

    with opened(project) as workspace:
        if plan:
            arguments = {"deployment": deployment, "version": version}
            show_plan(operation("shadow.stop"), arguments, workspace, as_json=json)
            return
        show_report(workspace.shadows.stop(deployment, version, by=by, why=why), as_json=json)
