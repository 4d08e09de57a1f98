"""The pages of error codes: they are in the wheel, and need no library to be read."""

from __future__ import annotations

from pathlib import Path

from tondo.core.errors import NotFoundError, near


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
    package = Path(__file__).parents[2]
    for folder in (package / "codes", package.parent.parent / "docs" / "codes"):
        found = {each.stem: each for each in sorted(folder.glob("TD-*.md"))}
        if found:
            return found
    return {}
