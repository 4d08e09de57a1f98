"""Opening the project that a command is about."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tondo.core.errors import CallerError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.workspace.facade import Workspace

Project = Annotated[Path, typer.Option("--project", help="The project's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Plan = Annotated[bool, typer.Option("--plan", help="Show what would be done, and do nothing.")]
Delimiter = Annotated[
    str | None,
    typer.Option(help="What parts the cells of a CSV: one character such as ';', or tab."),
]
HERE = Path()


@contextmanager
def opened(folder: Path) -> Iterator[Workspace]:
    """Open the project in `folder`, which must be one, and close it at the end."""
    from tondo.workspace.bootstrap import STATE_FOLDER, open_workspace

    if folder.is_dir() and not (folder / STATE_FOLDER).is_dir() and not has_definitions(folder):
        raise NotFoundError(
            "TD-CLI-005",
            f"{folder.resolve()} is no tondo project",
            expected="a folder with definition files (*.yaml)",
            fix="Go into one, name one with --project DIR, or make one with tondo init.",
            path=str(folder),
        )
    with open_workspace(folder) as workspace:
        yield workspace


def refuse_delimiter(delimiter: str | None, of: str) -> None:
    """Refuse a delimiter for what is no file (TD-CLI-003): a source's definition says its own."""
    if delimiter is not None:
        raise CallerError(
            "TD-CLI-003",
            f"--delimiter is for files, and '{of}' is none",
            fix="Leave it out; a source says `delimiter:` in its definition.",
        )


def has_definitions(folder: Path) -> bool:
    """Tell whether a definition file lies in `folder` or one level below."""
    patterns = ("*.yaml", "*.yml", "*/*.yaml", "*/*.yml")
    return any(True for pattern in patterns for _ in folder.glob(pattern))
