"""`tondo gc`: what nothing names any more goes."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import show

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")]
Grace = Annotated[str, typer.Option("--grace", help="How old a blob must be to go, such as 1d.")]


def gc(
    *, dry_run: DryRun = False, grace: Grace = "1d", project: Project = HERE, json: Json = False
) -> None:
    """Delete the blobs that nothing names and that are older than a time of grace."""
    with opened(project) as workspace:
        found = workspace.snapshots.collect_garbage(dry_run=dry_run, grace=grace)
    show(found, as_json=json)
