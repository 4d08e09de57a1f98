"""`tondo schema set`: edits of a schema by verb, shown as a difference."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.everyday.schema_import import By, ToFile, Why, show_edit
from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened


def schema_set(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    edits: Annotated[
        list[str], typer.Argument(help="COLUMN.CONSTRAINT=VALUE, such as delay.min=-60.")
    ],
    *,
    by: By = "",
    why: Why = "",
    to_file: ToFile = False,
    project: Project = HERE,
    json: Json = False,
    plan: Plan = False,
) -> None:
    """Edit a schema: delay.min=-60, origin.domain=[EWR,JFK], max_rows= to take it away."""
    with opened(project) as workspace:
        found = workspace.schemas.set_constraints(
            dataset, edits, by=by, why=why, to_file=to_file, dry_run=plan
        )
    show_edit(found, plan=plan, as_json=json)
