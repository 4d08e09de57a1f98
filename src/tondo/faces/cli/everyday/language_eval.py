"""`tondo language eval`: named expressions over a file, written to a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.everyday.language_columns import Columns
from tondo.faces.cli.opening import Json
from tondo.faces.cli.show import console_for_output, show


def language_eval(
    *,
    data: Annotated[Path | None, typer.Option(help="The rows: Parquet, CSV or JSON lines.")] = None,
    expressions: Annotated[
        Path | None,
        typer.Option(help="A file of `name = expression` lines, or a JSON object."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The Parquet file to write.")] = None,
    columns: Columns = "",
    engine: Annotated[
        str, typer.Option(help="duckdb, spark, rows (as served) or interpret (the specification).")
    ] = "duckdb",
    json: Json = False,
) -> None:
    """Compute expressions over a file: one column each, rows in their order."""
    from tondo.language.expressions import read_columns
    from tondo.workspace import bare_language

    if data is None or expressions is None or out is None:
        raise CallerError(
            "TD-CLI-003",
            "it is not said what to compute, on what, or where to write it",
            fix="Add --data FILE --expressions FILE --out FILE.parquet.",
        )
    rows = bare_language.evaluate_to(
        out, data, expressions, columns=read_columns(columns), engine=engine
    )
    if json:
        show({"rows": rows, "out": str(out)}, as_json=True)
    else:
        console_for_output().print(f"{rows:,} rows in {out}", markup=False, soft_wrap=True)
