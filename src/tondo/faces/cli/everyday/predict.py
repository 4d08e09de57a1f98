"""`tondo predict`: ask a deployment for one row."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def predict(
    name: Annotated[str, typer.Argument(help="Name of the deployment.")],
    values: Annotated[list[str] | None, typer.Argument(help="The row, as key=value.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The instant to score as of.")] = None,
    *,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Ask a deployment to score a row: tondo predict NAME key=value..."""
    row = read_row(values or [])
    with opened(project) as workspace:
        answer = workspace.deployment.predict(name, row, as_of=as_of)
    if json:
        show(answer, as_json=True)
        return
    console = console_for_output()
    for prediction in answer.predictions:
        decided = {True: "  yes", False: "  no", None: ""}[prediction.decision]
        console.print(f"[bold]{prediction.score}{decided}[/bold]")
        by = next(each for each in answer.variants if each.variant == prediction.variant)
        console.print(f"  answered by {by.model} version {by.version} ({by.variant})")
        console.print(f"  [dim]where it came from:[/dim] tondo lineage {prediction.id}")


def read_row(values: list[str]) -> dict[str, Any]:
    """Return the row that `key=value` words say; a value is JSON where it reads as such.

    >>> read_row(["origin=JFK", "distance=1400", "night=true", "tailnum=null", 'flight="15"'])
    {'origin': 'JFK', 'distance': 1400, 'night': True, 'tailnum': None, 'flight': '15'}
    """
    row = {}
    for each in values:
        key, found, text = each.partition("=")
        if not found or not key:
            raise CallerError(
                "TD-CLI-006",
                f"'{each}' is not a column and its value",
                expected="key=value, for example origin=JFK",
                word=each,
            )
        row[key] = _value(text)
    return row


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
