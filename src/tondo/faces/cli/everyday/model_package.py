"""`tondo model package`: the sealed package of a model version as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tondo.core.canonical import digest_bytes
from tondo.faces.cli.opening import HERE, Project, opened
from tondo.faces.cli.out import write_out


def model_package(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    reference: Annotated[str, typer.Argument(help="A version's number, id or tag.")],
    *,
    out: Annotated[Path, typer.Option(help="Write the package to this file.")],
    project: Project = HERE,
) -> None:
    """Write a version's sealed package, which tondo.load and tondo-scorer read anywhere."""
    with opened(project) as workspace:
        data = workspace.registry.package(model, reference)
    write_out(out, data)
    typer.echo(f"{out}  {len(data):,} bytes  {digest_bytes(data)}")
