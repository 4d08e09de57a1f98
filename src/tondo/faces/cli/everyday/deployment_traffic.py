"""`tondo deployment traffic late_arrival v3=90 v4=10`."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.opening import HERE, Json, Plan, Project, opened
from tondo.faces.cli.plain import show_plan
from tondo.faces.cli.show import show


def deployment_traffic(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    weights: Annotated[
        list[str], typer.Argument(help="VERSION=WEIGHT, such as v3=90 v4=10; ratios count.")
    ],
    *,
    target: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE[,VALUE]:VERSION; beats the weights. Once for each."),
    ] = None,
    by: Annotated[str, typer.Option(help="Who does it; you, when left out.")] = "",
    why: Annotated[str, typer.Option(help="Why it is done; kept in the history.")] = "",
    project: Project = HERE,
    plan: Plan = False,
    json: Json = False,
) -> None:
    """Share the traffic among versions, such as v3=90 v4=10."""
    from tondo.workspace.operations import operation

    read = _weights(weights)
    with opened(project) as workspace:
        if plan:
            arguments = {"deployment": deployment, "weights": read, "target": target or []}
            show_plan(operation("deployment.traffic"), arguments, workspace, as_json=json)
            return
        state = workspace.deployment.traffic(deployment, read, target=target, by=by, why=why)
        show(state, as_json=json)


def _weights(texts: list[str]) -> dict[str, float]:
    read: dict[str, float] = {}
    for text in texts:
        version, equals, weight = text.partition("=")
        try:
            number = float(weight)
        except ValueError:
            number = math.nan
        if not equals or not version or not math.isfinite(number) or version in read:
            raise CallerError(
                "TD-CLI-004",
                f"'{text}' is no share of a version",
                expected="VERSION=WEIGHT, each version once, such as v3=90 v4=10",
                parameter="weights",
            )
        read[version] = number
    return read
