"""`tondo init`: a first project from a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Delimiter, Json, Plan
from tondo.faces.cli.show import console_for_output, show


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to; the present folder when left out.")
    ] = HERE,
    *,
    data: Annotated[Path, typer.Option(help="The table: CSV, Parquet or JSON lines.")],
    label: Annotated[str, typer.Option(help="The column to predict.")],
    time: Annotated[str | None, typer.Option(help="The column with each row's time.")] = None,
    delimiter: Delimiter = None,
    plan: Plan = False,
    json: Json = False,
) -> None:
    """Write a commented project for your own table."""
    from tondo.workspace.starter.write import plan_starter, write_starter

    starter = plan_starter(data, label=label, time=time, folder=folder, delimiter=delimiter)
    if not plan:
        write_starter(starter, folder)
    if json:
        show(starter, as_json=True)
        return
    console = console_for_output()
    if plan:
        console.print(starter.text, markup=False)
        return
    console.print(f"[bold]{folder / starter.file}[/bold] written.")
    console.print(f"  asks      {starter.label}", markup=False)
    console.print(f"  features  {', '.join(starter.features)}", markup=False)
    for column, why in starter.left_out.items():
        console.print(f"  left out  {column}: {why}", markup=False)
    if starter.remark:
        console.print(f"[yellow]  look at   {starter.remark}[/yellow]")
    inside = "" if folder == HERE else f"cd {folder} && "
    console.print(f"Next: [bold]{inside}tondo up[/bold]")
