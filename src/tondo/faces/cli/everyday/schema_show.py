"""`tondo schema show`: what a dataset must look like, for people or as YAML to edit."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def schema_show(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    *,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print YAML, as import takes it.")] = False,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show a dataset's schema."""
    with opened(project) as workspace:
        found = workspace.data.schema(dataset)
    if json:
        show(found, as_json=True)
    elif yaml:
        from tondo.workspace import bare

        sys.stdout.write(bare.write_schema(found))
    else:
        console_for_output().print(repr(found), markup=False, soft_wrap=True)
