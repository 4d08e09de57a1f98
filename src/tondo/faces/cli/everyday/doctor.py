"""`tondo doctor`: what is wrong and how to mend it."""

from __future__ import annotations

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show


def doctor(*, project: Project = HERE, json: Json = False) -> None:
    """Look for what is wrong, and say how to mend it."""
    with opened(project) as workspace:
        found = workspace.flow.doctor()
    if json:
        show(found, as_json=True)
    else:
        console = console_for_output()
        for each in found:
            sign = "[green]ok  [/green]" if each.ok else "[red]look[/red]"
            console.print(f"{sign}  [bold]{each.name}[/bold]  {each.detail}")
            if not each.ok and each.fix:
                console.print(f"      {each.fix}")
    if not all(each.ok for each in found):
        raise typer.Exit(1)
