"""`tondo schema log`: every version of a schema, with what it changed."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.core.instants import format_instant
from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def schema_log(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    *,
    column: Annotated[str | None, typer.Option(help="Only what changed this column.")] = None,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show who changed a schema, when, why and what; the newest first."""
    with opened(project) as workspace:
        found = workspace.schemas.log(dataset, column=column)
    if json:
        show(found, as_json=True)
        return
    console = console_for_output()
    for each in found:
        when = format_instant(each.created_at_us)
        head = f"v{each.number}  {when}  {each.by}: {each.why}"
        console.print(head, markup=False, style="bold", soft_wrap=True)
        for line in each.changes:
            console.print(f"  {line}", markup=False, soft_wrap=True)
