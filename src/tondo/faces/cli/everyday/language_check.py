"""`tondo language check`: the type of an expression, or what is wrong with it and where."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tondo.faces.cli.everyday.language_columns import Columns
from tondo.faces.cli.opening import Json
from tondo.faces.cli.show import show


def language_check(
    expression: Annotated[str, typer.Argument(help="The expression.")],
    *,
    columns: Columns = "",
    json: Json = False,
) -> None:
    """Check an expression over columns and print the type of its values."""
    from tondo.language.expressions import read_columns
    from tondo.workspace import bare_language

    found = bare_language.check_expression(expression, read_columns(columns))
    if json:
        show(found, as_json=True)
    else:
        sys.stdout.write(f"{found.type}\n")
