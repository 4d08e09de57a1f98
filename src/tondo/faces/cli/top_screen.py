"""The screen of `tondo top`: a look drawn for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.instants import format_instant
from tondo.faces.cli.show import micros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from tondo.workspace.live.top import TopRow, TopView
    from tondo.workspace.live.values import ScorerState

NONE = "\N{EN DASH}"
_BARS = "▁▂▃▄▅▆▇█"
_PAST = 24
"""Looks in a row's small picture."""

# Name, the narrowest terminal that shows it (a phone's has 40 signs), signs that it takes.
_COLUMNS = (
    ("version", 60, 7),
    ("share", 50, 7),
    ("req/s", 0, 7),
    ("lately", 120, _PAST),
    ("median", 72, 8),
    ("p99", 0, 8),
    ("err/s", 0, 6),
    ("shed/s", 80, 6),
    ("refused/s", 90, 9),
    ("requests", 104, 12),
)
_LONGEST_NAME = 30


def screen(view: TopView, past: Mapping[tuple[str, str], Sequence[float]], *, width: int) -> Group:
    """Return what is drawn of a look; `past` has each row's requests a second, the newest last."""
    from rich.console import Group
    from rich.text import Text

    parts: list[Any] = [_head(view), Text()]
    if view.rows:
        parts += _tables(view.rows, past, width)
    else:
        parts.append(Text("Nothing is deployed: tondo up, or tondo model deploy MODEL."))
    if view.rollouts:
        parts += [Text(), *_rollouts(view)]
    parts += [Text(), *_scorers(view.scorers)]
    return Group(*parts)


def _head(view: TopView) -> Text:
    from rich.text import Text

    at = format_instant(view.at_us // 1_000_000 * 1_000_000)[11:19]
    plan = NONE if view.plan is None else str(view.plan)
    head = Text.assemble((view.project, "bold"), f"  {at} UTC  plan {plan}")
    return _one_line(head)


def _tables(
    rows: Sequence[TopRow], past: Mapping[tuple[str, str], Sequence[float]], width: int
) -> list[Any]:
    """Return the heads once, then each deployment's name and a table of its variants."""
    columns = [
        (name, signs)
        for name, least, signs in _COLUMNS
        if width >= least and (past or name != "lately")
    ]
    taken = sum(signs + 2 for _, signs in columns)
    longest = max(len("variant"), *(len(_name(row)) for row in rows))
    first = max(min(longest, width - taken, _LONGEST_NAME), 6)
    drawn: list[Any] = [_grid([_heads(columns)], columns, first)]
    for deployment in dict.fromkeys(row.deployment for row in rows):
        mine = [
            _cells(row, past.get((deployment, row.variant), ()))
            for row in rows
            if row.deployment == deployment
        ]
        drawn += [_title(deployment), _grid(mine, columns, first)]
    return drawn


def _grid(rows: list[dict[str, Text]], columns: list[tuple[str, int]], first: int) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=first, no_wrap=True, overflow="ellipsis")
    for name, signs in columns:
        justify: Any = "left" if name == "lately" else "right"
        grid.add_column(width=signs, justify=justify, no_wrap=True, overflow="ellipsis")
    for row in rows:
        grid.add_row(row["variant"], *(row[name] for name, _ in columns))
    return grid


def _heads(columns: list[tuple[str, int]]) -> dict[str, Text]:
    from rich.text import Text

    return {name: Text(name, style="dim") for name in ("variant", *(each for each, _ in columns))}


def _name(row: TopRow) -> str:
    from tondo.workspace.live.values import ALL_VARIANTS

    said = {"": "no variant", ALL_VARIANTS: "all variants"}
    return f"  {said.get(row.variant, row.variant)}"


def _title(name: str) -> Text:
    from rich.text import Text

    return _one_line(Text(name, style="bold cyan"))


def _cells(row: TopRow, past: Sequence[float]) -> dict[str, Text]:
    from rich.text import Text

    rate = row.rate
    wrong = {
        "err/s": "bold red" if rate.errors_s else "",
        "shed/s": "bold yellow" if rate.shed_s else "",
    }
    texts = {
        "variant": _name(row),
        "version": "" if row.version is None else f"v{row.version}",
        "share": "" if row.share is None else f"{row.share * 100:g} %",
        "req/s": number(rate.requests_s),
        "lately": sparkline(past),
        "median": NONE if rate.p50_us is None else micros(rate.p50_us),
        "p99": NONE if rate.p99_us is None else micros(rate.p99_us),
        "err/s": number(rate.errors_s),
        "shed/s": number(rate.shed_s),
        "refused/s": number(rate.refused_s),
        "requests": f"{rate.requests:,}",
    }
    return {name: Text(said, style=wrong.get(name, "")) for name, said in texts.items()}


def _rollouts(view: TopView) -> list[Text]:
    from rich.text import Text

    lines = []
    for each in view.rollouts:
        style = "yellow" if each.phase == "paused" else "green"
        lines.append(
            _one_line(
                Text.assemble(
                    (f"{each.phase} ", style),
                    (each.deployment, "bold"),
                    f" v{each.current} \N{RIGHTWARDS ARROW} v{each.candidate}"
                    f" at {each.share * 100:g} %, {each.met} of {each.conditions} conditions met",
                )
            )
        )
        lines.append(_one_line(Text(f"  {each.reason}", style="dim")))
    return lines


def _scorers(scorers: Sequence[ScorerState]) -> list[Text]:
    from rich.text import Text

    if not scorers:
        return [Text("No scorer runs: tondo serve starts one.", style="yellow")]
    lines = []
    for each in scorers:
        if each.problem:
            lines.append(
                _one_line(Text.assemble(("down ", "red"), f"{each.address} {each.problem}"))
            )
        for worker in each.workers:
            told = f"{worker.memory_bytes / 1e6:.0f} MB, plan {worker.plan}, process {worker.pid}"
            problem = f" {worker.problem}" if worker.problem else ""
            lines.append(
                _one_line(
                    Text.assemble(("up ", "green"), f"{each.address} {told}", (problem, "red"))
                )
            )
    return lines


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def number(value: float | None) -> str:
    """Return a rate in few signs.

    >>> number(0.0), number(0.25), number(12.345), number(1234.5), number(None) == NONE
    ('0', '0.25', '12.3', '1,234', True)
    """
    if value is None:
        return NONE
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def sparkline(values: Sequence[float]) -> str:
    """Return a small picture of the last values.

    >>> sparkline([0, 1, 2, 7])
    '▁▂▃█'
    """
    shown = values[-_PAST:]
    most = max(shown, default=0.0)
    top = len(_BARS) - 1
    return "".join(_BARS[round(each / most * top) if most else 0] for each in shown)
