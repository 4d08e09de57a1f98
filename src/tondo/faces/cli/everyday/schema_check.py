"""`tondo schema check`: anomalies and distances of a file beside a schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.everyday.convert import AsForm, print_file, tell
from tondo.faces.cli.opening import Delimiter, Json
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.stages.data.distances import Distance
    from tondo.workspace.bare import Checked

EXIT_ANOMALIES = 1


def schema_check(
    file: Annotated[str, typer.Argument(help="CSV, Parquet, JSON lines; or statistics.")],
    *,
    schema: Annotated[
        Path | None, typer.Option(help="The schema's file, also another tool's.")
    ] = None,
    previous: Annotated[str | None, typer.Option(help="The batch before, for drift.")] = None,
    serving: Annotated[str | None, typer.Option(help="What was served, for skew.")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Accepted rows, to be compared with what is usual.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="Environment of the schema, such as SERVING.")
    ] = None,
    delimiter: Delimiter = None,
    as_: AsForm = None,
    json: Json = False,
) -> int:
    """Check a file against a schema; exit 1 when there are anomalies."""
    from tondo.workspace import bare, exchange

    if schema is None:
        raise CallerError(
            "TD-CLI-003",
            "there is no schema to check against",
            fix=f"Add --schema FILE; tondo schema infer {file} --out FILE writes one.",
        )
    found = bare.check_schema(
        file,
        schema,
        previous=previous,
        serving=serving,
        reference=reference,
        environment=environment,
        delimiter=delimiter,
    )
    tell(found.left_out)
    if as_ is not None:
        written = exchange.write_anomalies(
            found.anomalies, to=as_, schema=found.schema, distances=found.distances
        )
        print_file(written)
    elif json:
        show(_as_json(found), as_json=True)
    else:
        _print(found)
    return EXIT_ANOMALIES if found.anomalies else 0


def _as_json(found: Checked) -> dict[str, Any]:
    fields = ("column", "code", "tfdv", "severity", "numbers", "message", "patch")
    measured = ("column", "measure", "against", "value", "threshold")
    return {
        "anomalies": [_chosen(each, fields) for each in found.anomalies],
        "distances": [_chosen(each, measured) for each in found.distances],
    }


def _chosen(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(value, name)) for name in names}


def _print(found: Checked) -> None:
    console = console_for_output()
    for each in found.anomalies:
        console.print(str(each), markup=False, soft_wrap=True)
        for change in each.patch:
            console.print(f"  to accept it: {change}", markup=False, style="dim", soft_wrap=True)
    if not found.anomalies:
        console.print("no anomalies")
    for distance in found.distances:
        console.print(_said(distance), markup=False, soft_wrap=True)


def _said(distance: Distance) -> str:
    """Return a distance as one line."""
    limit = "no threshold" if distance.threshold is None else f"threshold {distance.threshold:g}"
    most = "" if distance.label is None else f", most at {distance.label!r}"
    measured = f"{distance.measure} {distance.value:.4g}"
    return f"{distance.against} of {distance.column}: {measured} ({limit}){most}"
