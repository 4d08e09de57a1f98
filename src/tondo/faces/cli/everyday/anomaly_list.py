"""`tondo anomaly list`: what batches got wrong, who looks after it and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import show


def anomaly_list(
    dataset: Annotated[str | None, typer.Argument(help="Name of the dataset.")] = None,
    *,
    state: Annotated[str | None, typer.Option(help="open, accepted, fixed or dismissed.")] = None,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """List tracked anomalies, the newest sighting first."""
    with opened(project) as workspace:
        show(workspace.data.anomalies(dataset=dataset, state=state), as_json=json)
