"""The reference page of functions, written from the tables."""

from __future__ import annotations

import json
import sys

from tondo.language.fitted import FITTED
from tondo.language.functions import FUNCTIONS, Function
from tondo.language.windows import WINDOW_FUNCTIONS

_HEAD = """# Functions

Written from the tables by `python -m tondo.language.reference`; a test holds it equal.
`T` is one type that is no list, `A` one type of any kind, each throughout; `?` optional, `...`
repeated, `#` a constant. Functions are null when any argument is, unless their meaning says
otherwise; ± marks those that may differ by 4 units in the last place between engines.
"""


def functions_page() -> str:
    """Return the Markdown of `docs/reference/functions.md`."""
    parts = [_HEAD]
    for group in dict.fromkeys(row.group for row in FUNCTIONS.values()):
        rows = [row for row in FUNCTIONS.values() if row.group == group]
        parts.append(_table(group, ("written", "types", "meaning", "example"), map(_row, rows)))
    fitted = ((f"`{row.usage}`", ", ".join(row.arguments), row.doc) for row in FITTED.values())
    parts.append(_table("Fitted", ("written", "x", "meaning"), fitted))
    windows = (
        (f"`{row.usage or f'{row.name}(x)'} over 3h`", row.argument, row.result, row.doc)
        for row in WINDOW_FUNCTIONS.values()
    )
    parts.append(_table("Windows", ("written", "x", "answer", "meaning"), windows))
    return "\n".join(parts)


def _row(row: Function) -> tuple[str, ...]:
    written = row.operator or f"{row.name}(...)"
    mark = " ±" if row.ulp else ""
    types = "when bool then A ... else A" if row.signatures == ("case",) else None
    text, value = row.example
    return (
        f"`{_cell(written)}`{mark}",
        types or "; ".join(f"`{each}`" for each in row.signatures),
        row.doc,
        f"`{_cell(text)}` is `{json.dumps(value, ensure_ascii=False)}`",
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(title: str, heads: tuple[str, ...], rows: object) -> str:
    lines = [f"## {title}", "", f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    lines += [f"| {' | '.join(row)} |" for row in rows]  # type: ignore[attr-defined]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(functions_page())
