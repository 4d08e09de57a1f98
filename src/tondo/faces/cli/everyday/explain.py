"""`tondo explain`: what an error's code means and how to mend it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tondo.core.errors import NotFoundError, near
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


def page_of(code: str) -> str:
    """Return the page of a code, in any case of letters; near codes when there is none."""
    pages = _pages()
    wanted = code.strip().upper()
    if wanted in pages:
        return pages[wanted].read_text(encoding="utf-8")
    same_area = [each for each in pages if each.rpartition("-")[0] == wanted.rpartition("-")[0]]
    raise NotFoundError(
        "TD-CLI-007",
        f"there is no code '{code}'",
        fix=near(wanted, same_area or pages),
        asked=code,
    )


def _pages() -> dict[str, Path]:
    """Return the pages by code: those of the wheel, else those of the source tree."""
    package = Path(__file__).parents[3]
    for folder in (package / "codes", package.parent.parent / "docs" / "codes"):
        found = {each.stem: each for each in sorted(folder.glob("TD-*.md"))}
        if found:
            return found
    return {}
