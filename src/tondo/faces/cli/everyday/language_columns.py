"""How columns and their types are said to a verb of the feature language."""

from __future__ import annotations

from typing import Annotated

import typer

Columns = Annotated[
    str, typer.Option("--columns", help="Column types as name:type,... such as id:id,x:double.")
]
