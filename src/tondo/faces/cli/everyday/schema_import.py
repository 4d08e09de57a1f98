"""`tondo schema import`: a whole file becomes a dataset's schema, shown as a difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.workspace.verbs.schemas import SchemaEdit

By = Annotated[str, typer.Option(help="Who does it; you, when left out.")]
Why = Annotated[str, typer.Option(help="Why it is done; kept in the history.")]
ToFile = Annotated[
    bool, typer.Option("--to-file", help="Write the schema's own file, where it has one.")
]


def schema_import(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    file: Annotated[Path, typer.Argument(help="The schema's YAML, as export wrote it.")],
    *,
    by: By = "",
    why: Why = "",
    to_file: ToFile = False,
    project: Project = HERE,
    json: Json = False,
    plan: Plan = False,
) -> None:
    """Make the schema in a YAML file the one of a dataset."""
    from tondo.stages.data.schema import to_document
    from tondo.workspace import bare

    document = to_document(bare.read_schema(file))
    why = why or f"imported {file.name}"
    with opened(project) as workspace:
        found = workspace.schemas.replace(
            dataset, document, by=by, why=why, to_file=to_file, dry_run=plan
        )
    show_edit(found, plan=plan, as_json=json)


def show_edit(edit: SchemaEdit, *, plan: bool, as_json: bool) -> None:
    """Print what an edit changes, or changed."""
    if as_json:
        show(edit, as_json=True)
        return
    console = console_for_output()
    if plan:
        console.print("Planned; nothing was done", style="bold")
    for line in edit.changes or ("nothing changes",):
        console.print(line, markup=False, soft_wrap=True)
