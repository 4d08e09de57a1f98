"""`tondo status`: the project at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.instants import format_instant
from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.workspace.pages import LiveModel, Overview


def status(*, project: Project = HERE, json: Json = False) -> None:
    """Show the project at a glance: what is live, how good, what is wrong."""
    with opened(project) as workspace:
        found = workspace.flow.overview()
    if json:
        show(found, as_json=True)
        return
    console = console_for_output()
    for line in _lines(found):
        console.print(line)


def _lines(overview: Overview) -> list[str]:
    loop = overview.loop
    lines = [f"[bold]{overview.project}[/bold]  {format_instant(overview.now_us)}", ""]
    lines += [_model_line(each) for each in overview.models] or ["  nothing is live"]
    lines += [
        "",
        f"  {loop.snapshots} snapshots, {loop.features} features, {loop.runs} runs",
        f"  {loop.predictions:,} predictions, {loop.outcomes:,} outcomes",
        f"  retrained {loop.retrainings} times",
    ]
    known = [each for each in overview.months if each.auc is not None]
    if known:
        lines.append(f"  live AUC {known[-1].auc:.3f} in {known[-1].month}")
    waiting = [each for each in overview.alerts if each.state == "open"]
    lines += [f"  [red]alert[/red] {each.kind} {each.subject}: {each.message}" for each in waiting]
    lines += [f"  {each}" for each in overview.notes]
    return lines


def _model_line(model: LiveModel) -> str:
    accepted = "" if model.accepted_auc is None else f", accepted with AUC {model.accepted_auc:.3f}"
    share = "" if model.weight == 1 else f", {model.weight:.0%} of the traffic"
    return (
        f"  [green]live[/green] {model.name} version {model.version} "
        f"since {format_instant(model.since_us)}{accepted}{share}"
    )
