"""`tondo schema export`: a dataset's schema as a file to edit or to share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Project, opened
from tondo.faces.cli.out import write_out


def schema_export(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the YAML to this file.")] = None,
    project: Project = HERE,
) -> None:
    """Write a dataset's schema as YAML, to a file or to standard output."""
    from tondo.workspace import bare

    with opened(project) as workspace:
        text = bare.write_schema(workspace.data.schema(dataset))
    if out is None:
        sys.stdout.write(text)
    else:
        write_out(out, text.encode())
