"""`tondo snapshot statistics`: exact statistics of a snapshot, or of its slices."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def snapshot_statistics(
    ref: Annotated[str, typer.Argument(help="A dataset, dataset@branch, @tag, @v3, or an id.")],
    *,
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", help="A column, or several with commas, whose values are slices."),
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A predicate such as: distance > 500")
    ] = None,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show exact statistics of a snapshot, or of each slice of it."""
    with opened(project) as workspace:
        found: list[Any]
        if slices or where:
            found = workspace.statistics.slices(ref, columns=slices, where=where)
        else:
            found = [workspace.data.statistics(ref)]
    if json:
        show(found if slices or where else found[0], as_json=True)
        return
    for each in found:
        console_for_output().print(repr(each), markup=False, soft_wrap=True)
