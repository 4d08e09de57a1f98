"""`tondo replay`: a past window of requests, sent to another version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.stages.serving.replay import ReplayReport


def replay(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    version: Annotated[str, typer.Argument(help="A version's number, id or tag.")],
    start: Annotated[str, typer.Option("--from", help="The first instant of the window.")],
    end: Annotated[str, typer.Option("--to", help="The end of the window, left out itself.")],
    rate: Annotated[
        float | None, typer.Option(help="Requests a second; as fast as answered, if unsaid.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="A scorer's http://HOST:PORT; in process, if unsaid.")
    ] = None,
    staging: Annotated[
        str | None, typer.Option(help="The staging deployment there; MODEL_staging, if unsaid.")
    ] = None,
    *,
    project: Project = HERE,
    plan: Plan = False,
    json: Json = False,
) -> None:
    """Send a past window of requests to a version, and compare it with production."""
    asked = {"start": start, "end": end, "rate": rate, "address": address, "staging": staging}
    with opened(project) as workspace:
        if plan:
            would = f"send the requests of {deployment} to version {version}"
            show({"would": would, **asked}, as_json=json)
            return
        report = workspace.replays.run(
            deployment, version, start=start, end=end, rate=rate, address=address, staging=staging
        )
    if json:
        show(report, as_json=True)
    else:
        _tell(report, where="in this process" if address is None else f"over {report.over}")


def _tell(report: ReplayReport, *, where: str) -> None:
    from tondo.stages.serving.comparison_text import comparison_lines

    console = console_for_output()
    console.print(
        f"[bold]{report.model} version {report.version} beside {report.deployment}[/bold]"
    )
    lines = [f"{report.reached:,.0f} requests/s {where}, {report.seconds:.1f} s"]
    if report.late is not None:
        lines.append(
            f"sent late by p50 {report.late.p50_ms:.2f} ms, p99 {report.late.p99_ms:.2f} ms"
        )
    for line in [*lines, *comparison_lines(report.comparison)]:
        console.print(line, markup=False)
