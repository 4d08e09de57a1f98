"""`tondo snapshot compare`: what changed from one snapshot to another."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def snapshot_compare(
    ref: Annotated[str, typer.Argument(help="A dataset, dataset@branch, @tag, @v3, or an id.")],
    other: Annotated[str, typer.Argument(help="Another version, named in the same way.")],
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show what changed in the statistics of a snapshot's columns."""
    with opened(project) as workspace:
        found = workspace.statistics.compare(ref, other)
    if json:
        show(found, as_json=True)
    else:
        console_for_output().print(repr(found), markup=False, soft_wrap=True)
