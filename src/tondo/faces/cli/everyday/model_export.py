"""`tondo model export`: a model version as an ONNX graph for other languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from tondo.faces.cli.opening import HERE, Project, opened
from tondo.faces.cli.out import write_out

if TYPE_CHECKING:
    from tondo.workspace.exports import ModelExport


def model_export(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    reference: Annotated[str, typer.Argument(help="A version's number, id or tag.")],
    *,
    onnx: Annotated[Path, typer.Option(help="Write the graph to this file.")],
    project: Project = HERE,
) -> None:
    """Write a version's features and model as one ONNX graph, with samples and a description."""
    with opened(project) as workspace:
        export = workspace.registry.export(model, reference)
    written = {
        onnx: export.graph,
        onnx.with_suffix(".samples.json"): samples_json(export),
        onnx.with_suffix(".md"): description(export).encode(),
    }
    for path, data in written.items():
        write_out(path, data)
        typer.echo(f"{path}  {len(data):,} bytes")


def samples_json(export: ModelExport) -> bytes:
    """Return everything but the graph as JSON."""
    fields = {name: getattr(export, name) for name in export.__struct_fields__ if name != "graph"}
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def description(export: ModelExport) -> str:
    """Return the Markdown that says what goes in and comes out."""
    lines = [
        f"# {export.model}, version {export.version}",
        "",
        f"Made from package `{export.package}`. Inputs have the shape rows x 1, and all must be",
        "given; the second input of a column, where it has one, is a bool: true where it is null.",
        "",
        "| input | type | tensor | null | unit |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{each.name}` | {each.type} | {each.tensor} | `{each.null}` | {each.unit} |"
        for each in export.inputs
    ]
    lines += ["", "| output | tensor | shape | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{each.name}` | {each.tensor} | {each.shape} | {each.meaning} |"
        for each in export.outputs
    ]
    lines += ["", f"{len(export.samples)} rows with answers stand beside it in `.samples.json`."]
    return "\n".join([*lines, ""])
