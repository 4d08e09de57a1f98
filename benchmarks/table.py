"""How a benchmark tells its figures: one table, for a person and for docs/benchmarks.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE_FILE = "TONDO_BENCHMARK_TABLE"
"""Where `python -m benchmarks` wants the table besides."""


def tell(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table with aligned columns, the first to the left; keep it where asked."""
    cells = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    lines = [_line(row, widths) for row in cells]
    lines.insert(1, "|" + "|".join(_rule(place, width) for place, width in enumerate(widths)) + "|")
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if TABLE_FILE in os.environ:
        with Path(os.environ[TABLE_FILE]).open("a", encoding="utf-8") as file:
            file.write(("\n" if file.tell() else "") + text)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    return "| " + " | ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in rest)]) + " |"


def _rule(place: int, width: int) -> str:
    return "-" * (width + 2) if place == 0 else "-" * (width + 1) + ":"
