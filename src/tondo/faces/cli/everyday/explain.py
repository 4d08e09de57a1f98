"""`tondo explain`: what an error's code means and how to mend it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tondo.faces.cli.codes import page_of
from tondo.faces.cli.show import console_for_output


def explain(
    code: Annotated[str, typer.Argument(help="The code, such as TD-SCHEMA-001.")],
) -> None:
    """Explain an error's code: what, why, an example, how to mend it."""
    text = page_of(code)
    if not sys.stdout.isatty():
        sys.stdout.write(text)
        return
    from rich.markdown import Markdown

    console_for_output().print(Markdown(text))
