"""`tondo schema convert`: a schema in the form of another tool, or from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.out import write_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.stages.data.exchange.converted import Converted

_FORMS = "tensorflow-json, tensorflow-text, tensorflow-binary or sagemaker"
AsForm = Annotated[
    str | None, typer.Option("--as", help=f"Print the form of another tool: {_FORMS}.")
]


def convert(
    file: Annotated[
        Path, typer.Argument(help="A schema of tondo, tensorflow-metadata, SageMaker.")
    ],
    *,
    to: Annotated[str | None, typer.Option(help=f"yaml, {_FORMS}.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Convert a schema, and say on standard error what the other form cannot carry."""
    from tondo.workspace import exchange

    if to is None:
        raise CallerError(
            "TD-EXCHANGE-002",
            "it is not said which form is wanted",
            expected=f"one of yaml, {_FORMS}",
            fix="Add --to FORM.",
        )
    read = exchange.read_schema(file)
    tell(read.left_out)
    written = exchange.write_schema(read.value, to=to)
    if out is None:
        print_file(written)
    else:
        write_out(out, written.value)
        tell(written.left_out)


def print_file(written: Converted[bytes]) -> None:
    """Print a file as it is, also a binary one, and what it leaves out on standard error."""
    tell(written.left_out)
    sys.stdout.flush()
    sys.stdout.buffer.write(written.value)
    sys.stdout.buffer.flush()


def tell(sentences: Iterable[str]) -> None:
    """Print sentences on standard error."""
    for each in sentences:
        sys.stderr.write(f"{each}\n")
