"""Values on a terminal: tables for lists, names and values for one thing, JSON when asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.instants import format_instant
from tondo.faces.cli.summaries import summarised
from tondo.stages.data.display import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

# More columns than this do not fit beside each other; the rest is told in JSON.
COLUMNS_SHOWN = 9
LONGEST = 60
# Nobody looks at a pipe, and a table in it should not be cut.
WIDTH_OF_PIPES = 240
# The time of a UUIDv7 and the count within its millisecond: enough to tell two apart.
_ID_SHOWN = 18
_DIGEST_LENGTH = 64
# What else ends with _us is an instant.
_DURATIONS = tuple(
    f"{each}_us"
    for each in (
        "cadence",
        "floor",
        "freshness",
        "holdout",
        "latency",
        "level",
        "p50",
        "p99",
        "pause",
        "retention",
        "tile",
        "timeout",
        "took",
        "ttl",
        "window",
    )
)


def show(value: Any, *, as_json: bool = False, title: str = "") -> None:
    """Print `value`: in words where it has a summary, as JSON with every field when asked."""
    if as_json:
        plain = msgspec.to_builtins(value, enc_hook=str)
        text = msgspec.json.format(msgspec.json.encode(plain), indent=2)
        sys.stdout.write(text.decode() + "\n")
        return
    console = console_for_output()
    if title:
        console.print(f"[bold]{title}[/bold]")
    console.print(renderable(summarised(value)))


def console_for_output() -> Console:
    """Return the console of standard output; plain and wide where no person looks."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else WIDTH_OF_PIPES
    return Console(highlight=False, width=width)


def renderable(value: Any) -> RenderableType:
    """Return what Rich draws for a value made of JSON's types."""
    if isinstance(value, dict):
        return _sheet(value)
    if not isinstance(value, list | tuple):
        return "Done." if value is None else cell("", value)
    if value and all(isinstance(each, dict) for each in value):
        return _table(value)
    texts = [cell("", each) for each in value]
    line = ", ".join(texts)
    return (line if len(line) <= LONGEST else "\n".join(texts)) or "There is none."


def _table(rows: Sequence[dict[str, Any]]) -> RenderableType:
    from tondo.faces.cli.tables import Column, FittingTable

    names = [name for name in rows[0] if not isinstance(rows[0][name], dict | list | tuple)]
    columns = []
    for name in names[:COLUMNS_SHOWN]:
        is_number = all(isinstance(row.get(name), int | float | None) for row in rows)
        is_instant = name.endswith("_us") and not name.endswith(_DURATIONS)
        cells = [_short(cell(name, row.get(name))) for row in rows]
        columns.append(Column(_heading(name), cells, is_number and not is_instant))
    return FittingTable(columns)


def _sheet(value: dict[str, Any]) -> RenderableType:
    from rich.table import Table

    sheet = Table.grid(padding=(0, 2))
    sheet.add_column(style="dim", no_wrap=True)
    sheet.add_column()
    for name, each in value.items():
        is_deep = isinstance(each, dict | list | tuple) and bool(each)
        sheet.add_row(_heading(name), renderable(each) if is_deep else cell(name, each))
    return sheet


def _instant(micros: float) -> str:
    return format_instant(int(micros) // 1_000_000 * 1_000_000)


def _short(text: str) -> str:
    """Return the beginning of a UUID, other text as it is."""
    parts = text.split("-")
    is_id = [len(each) for each in parts] == [8, 4, 4, 4, 12]
    return text[:_ID_SHOWN] if is_id else text


def _heading(name: str) -> str:
    return name.removesuffix("_us").replace("_", " ")


def cell(name: str, value: Any) -> str:
    """Return a value in a few signs.

    >>> cell("moved_at_us", 1364774400000000), cell("took_us", 2345), cell("x", None)
    ('2013-04-01T00:00:00Z', '2.35 ms', '')
    """
    if value is None or value in ({}, [], ()):
        return ""
    if name.endswith("_us") and isinstance(value, int | float):
        return micros(value) if name.endswith(_DURATIONS) else _instant(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if len(text) == _DIGEST_LENGTH and text.isalnum():
        return text[:12]
    text = text.replace("[", "\\[")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def micros(value: float) -> str:
    """Return a duration in microseconds to three digits, from a second on as people say it.

    >>> micros(84.0), micros(2345.0), micros(1.2e6), micros(604_800_000_000)
    ('84 µs', '2.35 ms', '1.2 s', '7 d')
    """
    if value < 999.5:
        return f"{value:.0f} µs"
    return f"{value / 1e3:.3g} ms" if value < 1e6 else seconds(value / 1e6)
