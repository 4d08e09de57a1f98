"""`tondo schema infer`: the schema that a file, or a dataset's newest snapshot, satisfies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tondo.faces.cli.everyday.schema_import import ToFile
from tondo.faces.cli.opening import (
    HERE,
    Delimiter,
    Json,
    Plan,
    Project,
    opened,
    refuse_delimiter,
)
from tondo.faces.cli.out import write_out
from tondo.faces.cli.plain import show_plan
from tondo.faces.cli.show import show


def schema_infer(
    of: Annotated[str, typer.Argument(help="A file, or a dataset.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the schema's YAML to this file.")] = None,
    by: Annotated[str, typer.Option(help="Who infers; a dataset's schema is kept.")] = "",
    why: Annotated[str, typer.Option(help="Why.")] = "",
    to_file: ToFile = False,
    delimiter: Delimiter = None,
    project: Project = HERE,
    json: Json = False,
    plan: Plan = False,
) -> None:
    """Infer a schema: of a file to print it, of a dataset to keep it."""
    from tondo.workspace import bare

    if Path(of).is_file():
        schema = bare.infer_schema(of, delimiter=delimiter)
    else:
        refuse_delimiter(delimiter, of)
        with opened(project) as workspace:
            if plan:
                from tondo.workspace.operations import operation

                asked = {"dataset": of, "by": by, "why": why}
                show_plan(operation("schema.infer"), asked, workspace, as_json=json)
                return
            schema = workspace.data.infer_schema(of, by=by, why=why, to_file=to_file)
    if out is not None:
        write_out(out, bare.write_schema(schema).encode())
    elif json:
        show(schema, as_json=True)
    else:
        sys.stdout.write(bare.write_schema(schema))
