"""`tondo demo`: the whole round on real flights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    dir_: Annotated[str, typer.Option("--dir", help="Folder of the project.")] = "tondo-demo",
    exit_: Annotated[bool, typer.Option("--exit", help="End when the round is done.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the summary to this file.")] = None,
    write: Annotated[Path | None, typer.Option(help="Only copy the definitions there.")] = None,
) -> None:
    """Watch the loop go round on 336,776 real flights."""
    raise NotImplementedError  # what help reads; app.py hands the words to run_demo


def run_demo(words: list[str]) -> int:
    """Hand over to the demo, which reads its own flags."""
    from tondo.workspace.demo.run import main

    return main(words)
