"""`tondo snapshot crosses`: what a snapshot's columns say of each other."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def snapshot_crosses(
    ref: Annotated[str, typer.Argument(help="A dataset, dataset@branch, @tag, @v3, or an id.")],
    *,
    label: Annotated[
        str | None, typer.Option(help="A column of few values; its lift by value is told.")
    ] = None,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show the strongest correlations, associations and lifts; --json tells all."""
    with opened(project) as workspace:
        found = workspace.statistics.crosses(ref, label=label)
    if json:
        show(found, as_json=True)
    else:
        console_for_output().print(repr(found), markup=False, soft_wrap=True)
