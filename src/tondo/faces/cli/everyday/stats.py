"""`tondo stats`: exact statistics of a file or of a dataset's snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.everyday.convert import print_file, tell
from tondo.faces.cli.opening import HERE, Delimiter, Json, Project, opened, refuse_delimiter
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.stages.data.statistics import Statistics


def stats(
    of: Annotated[str, typer.Argument(help="A file, or a dataset such as flights@main.")],
    *,
    engine: Annotated[
        str, typer.Option(help="Of a file: duckdb, or spark for what is larger than a machine.")
    ] = "duckdb",
    delimiter: Delimiter = None,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Print a file: tondo, tensorflow-json, tensorflow-text, tensorflow-binary or "
            "sagemaker.",
        ),
    ] = None,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show exact statistics: tondo stats FILE, or tondo stats DATASET.

    A file of statistics that another tool wrote (.json, .pb, .pbtxt) is shown too.
    """
    if Path(of).is_file():
        found = _of_file(of, engine, delimiter)
    else:
        refuse_delimiter(delimiter, of)
        with opened(project) as workspace:
            found = workspace.data.statistics(of)
    if as_ is not None:
        from tondo.workspace import exchange

        print_file(exchange.write_statistics(found, to=as_))
        return
    if json:
        show(found, as_json=True)
        return
    from tondo.stages.data.statistics_display import text

    console = console_for_output()
    console.print(text(found, width=console.width), markup=False, soft_wrap=True)


def _of_file(path: str, engine: str, delimiter: str | None) -> Statistics:
    from tondo.workspace import bare, exchange

    if not exchange.holds_statistics(path):
        return bare.statistics(path, engine=engine, delimiter=delimiter)
    read = exchange.read_statistics(path)
    tell(read.left_out)
    return read.value
