"""`tondo shadow report`: a shadow beside production, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.stages.serving.shadow import ShadowReport


def shadow_report(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    version: Annotated[str, typer.Argument(help="A version's number, id or tag.")],
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Compare what a shadow scored with production, and keep the report."""
    with opened(project) as workspace:
        show_report(workspace.shadows.report(deployment, version), as_json=json)


def show_report(report: ShadowReport, *, as_json: bool) -> None:
    """Print what a shadow scored beside production: a headline and a line for each measure."""
    from tondo.stages.serving.comparison_text import comparison_lines

    if as_json:
        show(report, as_json=True)
        return
    console = console_for_output()
    console.print(
        f"[bold]{report.model} version {report.version} beside {report.deployment}[/bold]"
    )
    for line in comparison_lines(report.comparison):
        console.print(line, markup=False)
