"""`tondo alerts`: what somebody should look at."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import show


def alerts(
    state: Annotated[str | None, typer.Option(help="open, acknowledged or closed.")] = None,
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """List alerts, the newest first."""
    with opened(project) as workspace:
        show(workspace.monitoring.alerts(state=state), as_json=json)
