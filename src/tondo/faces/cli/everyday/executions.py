"""`tondo executions`: what was run, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tondo.core.instants import format_instant
from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.flow.values import StepRecord


def executions(
    limit: Annotated[int, typer.Option(help="At most so many.")] = 10,
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """List the last executions with their steps."""
    with opened(project) as workspace:
        found = workspace.flow.executions(limit=limit)
    if json:
        show(found, as_json=True)
        return
    console = console_for_output()
    for each in found:
        console.print(
            f"[bold]{each.name}[/bold]  {each.state}  {_seconds(each.steps):.1f} s  "
            f"{format_instant(each.started_at_us)}  [dim]{each.id}[/dim]"
        )
        for step in each.steps:
            said = "reused" if step.reused else "running" if step.ok is None else ""
            said = "[red]failed[/red]" if step.ok is False else said
            console.print(f"  {step.seconds or 0.0:8.2f} s  {step.name}  {said}".rstrip())
            if step.error:
                console.print(f"              [red]{step.error.get('message', '')}[/red]")
    if not found:
        console.print("Nothing has been run yet.")


def _seconds(steps: list[StepRecord]) -> float:
    return sum(each.seconds or 0.0 for each in steps)
