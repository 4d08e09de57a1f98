"""`tondo stats`: exact statistics of a file or of a dataset's snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def stats(
    of: Annotated[str, typer.Argument(help="A file, or a dataset such as flights@main.")],
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Show exact statistics: tondo stats FILE, or tondo stats DATASET."""
    if Path(of).is_file():
        from tondo.workspace import bare

        found = bare.statistics(of)
    else:
        with opened(project) as workspace:
            found = workspace.data.statistics(of)
    if json:
        show(found, as_json=True)
        return
    console_for_output().print(repr(found), markup=False, soft_wrap=True)
