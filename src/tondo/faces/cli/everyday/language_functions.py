"""`tondo language functions`: every function of the feature language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.faces.cli.opening import Json
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from tondo.language.listing import ListedFunction


def language_functions(*, json: Json = False) -> None:
    """List the functions of the feature language: types, meaning, an example."""
    from tondo.workspace import bare_language

    found = bare_language.language_functions()
    if json:
        show(found, as_json=True)
        return
    console = console_for_output()
    for group in dict.fromkeys(each.group for each in found):
        console.print(f"[bold]{group}[/bold]")
        for each in found:
            if each.group == group:
                console.print(_line(each), markup=False, soft_wrap=True)


def _line(function: ListedFunction) -> str:
    mark = " \N{PLUS-MINUS SIGN}" if function.ulp else ""
    types = "; ".join(function.types)
    return f"  {function.written}{mark}  ({types})  {function.doc}"
