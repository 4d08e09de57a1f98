"""Values on a terminal: tables for lists, names and values for one thing, JSON when asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# More columns than this do not fit beside each other; the rest is told in JSON.
COLUMNS_SHOWN = 9
LONGEST = 60
# Nobody looks at a pipe, and a table in it should not be cut.
WIDTH_OF_PIPES = 240
# The time of a UUIDv7 and the count within its millisecond: enough to tell two apart.
_ID_SHOWN = 18
_DIGEST_LENGTH = 64


def show(value: Any, *, as_json: bool = False, title: str = "") -> None:
    """Print `value`."""
    plain = msgspec.to_builtins(value, enc_hook=str)
    if as_json:
        text = msgspec.json.format(msgspec.json.encode(plain), indent=2)
        sys.stdout.write(text.decode() + "\n")
        return
    console = console_for_output()
    if title:
        console.print(f"[bold]{title}[/bold]")
    console.print(renderable(plain))


def console_for_output() -> Console:
    """Return the console of standard output; plain and wide where no person looks."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH_OF_PIPES
    return Console(highlight=False, width=width)


def renderable(value: Any) -> RenderableType:
    """Return what Rich draws for a value made of JSON's types."""
    if isinstance(value, dict):
        return _sheet(value)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return _table(value)
    if isinstance(value, list):
        return "\n".join(cell("", each) for each in value) or "There is none."
    return "Done." if value is None else cell("", value)


def _table(rows: list[dict[str, Any]]) -> RenderableType:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    names = [name for name in rows[0] if not isinstance(rows[0][name], dict | list)]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in names[:COLUMNS_SHOWN]:
        is_number = all(isinstance(row.get(name), int | float | None) for row in rows)
        justify: Any = "right" if is_number and not _is_instant(name) else "left"
        table.add_column(_heading(name), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(_short(cell(name, row.get(name))) for name in names[:COLUMNS_SHOWN]))
    return table


def _sheet(value: dict[str, Any]) -> RenderableType:
    from rich.table import Table

    sheet = Table.grid(padding=(0, 2))
    sheet.add_column(style="dim", no_wrap=True)
    sheet.add_column()
    for name, each in value.items():
        is_deep = isinstance(each, dict | list) and bool(each)
        sheet.add_row(_heading(name), renderable(each) if is_deep else cell(name, each))
    return sheet


def _is_instant(name: str) -> bool:
    whole = {"at_us", "as_of_us", "since_us", "event_time_us", "newest_us", "boundary_us"}
    return name in whole or name.endswith(("_at_us", "_seen_us", "until_us", "_event_us"))


def _short(text: str) -> str:
    """Return the beginning of a UUID, other text as it is."""
    parts = text.split("-")
    is_id = [len(each) for each in parts] == [8, 4, 4, 4, 12]
    return text[:_ID_SHOWN] if is_id else text


def _heading(name: str) -> str:
    return name.removesuffix("_us").replace("_", " ")


def cell(name: str, value: Any) -> str:
    """Return a value in a few signs.

    >>> cell("moved_at_us", 1364774400000000), cell("auc", 0.728494), cell("x", None)
    ('2013-04-01T00:00:00Z', '0.728494', '')
    """
    if value is None or value in ({}, []):
        return ""
    if _is_instant(name) and isinstance(value, int):
        return format_instant(value // 1_000_000 * 1_000_000)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if len(text) == _DIGEST_LENGTH and text.isalnum():
        return text[:12]
    text = text.replace("[", "\\[")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
