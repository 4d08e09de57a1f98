"""Help, written from the index in plain code: it must be there before a library is loaded."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING

from tondo.faces.cli.index import option_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tondo.faces.cli.index import Command, Index, Parameter

ABOUT = "Machine learning in production, the whole round, on one machine."
_METAVARS = {
    "text": "TEXT",
    "integer": "NUMBER",
    "number": "NUMBER",
    "switch": "",
    "texts": "TEXT",
    "json": "JSON",
}
_COMMON = (
    ("--project DIR", "The project's folder; the present one when left out."),
    ("--json", "Print JSON."),
)
_PLAN = ("--plan", "Show what would be done, and do nothing.")


def help_text(words: Sequence[str], index: Index, *, bold: bool = False) -> str | None:
    """Return the help for `tondo WORDS --help`, or None when there is no such command."""
    commands = index["commands"]
    if not words:
        return _root(index, bold=bold)
    first, *rest = words
    if first in commands[""]:
        return _command(first, commands[""][first], bold=bold)
    if first not in commands or (rest and rest[0] not in commands[first]):
        return None
    if rest:
        return _command(f"{first} {rest[0]}", commands[first][rest[0]], bold=bold)
    verbs = [(verb, each["about"]) for verb, each in commands[first].items()]
    usage = f"tondo {first} VERB ..."
    return _page(usage, index["nouns"][first], [("Verbs", verbs)], bold=bold)


def _root(index: Index, *, bold: bool) -> str:
    everyday = [(verb, each["about"]) for verb, each in index["commands"][""].items()]
    nouns = list(index["nouns"].items())
    sections = [("Every day", everyday), ("Everything, by noun", nouns)]
    page = _page("tondo VERB ... or tondo NOUN VERB ...", ABOUT, sections, bold=bold)
    return f"{page}\nEach takes --help. An error's code is explained by: tondo explain CODE\n"


def _command(name: str, command: Command, *, bold: bool) -> str:
    arguments = [each for each in command["parameters"] if not each["option"]]
    options = [each for each in command["parameters"] if each["option"]]
    usage = " ".join(["tondo", name, *(_usage(each) for each in arguments), "[OPTIONS]"])
    common = [*_COMMON, *([_PLAN] if command["writes"] else [])] if command["operation"] else []
    sections = [
        ("Arguments", [(each["name"].upper(), _about(each)) for each in arguments]),
        ("Options", [*((_option(each), _about(each)) for each in options), *common]),
    ]
    return _page(usage, command["about"], sections, bold=bold)


def _usage(parameter: Parameter) -> str:
    name = parameter["name"].upper() + ("..." if parameter["kind"] == "texts" else "")
    return name if parameter["required"] else f"[{name}]"


def _option(parameter: Parameter) -> str:
    return f"{option_name(parameter['name'])} {_METAVARS[parameter['kind']]}".rstrip()


def _about(parameter: Parameter) -> str:
    default = parameter["default"]
    if parameter["required"] and parameter["option"]:
        return f"{parameter['about']} Required."
    if default in (None, "", False, []):
        return parameter["about"]
    return f"{parameter['about']} Default: {default}."


def _page(
    usage: str,
    about: str,
    sections: Iterable[tuple[str, Sequence[tuple[str, str]]]],
    *,
    bold: bool,
) -> str:
    on, off = ("\x1b[1m", "\x1b[0m") if bold else ("", "")
    parts = [f"Usage: {usage}\n", about, ""]
    for title, rows in sections:
        if rows:
            parts += [f"{on}{title}{off}", *_rows(rows), ""]
    return "\n".join(parts)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 80
    except OSError:
        return 80


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = min(max(len(name) for name, _ in rows), 26)
    room = max(min(_columns(), 100) - width - 4, 30)
    found = []
    for name, about in rows:
        lines = textwrap.wrap(about, room) or [""]
        if len(name) > width:
            found.append(f"  {name}")
            name = ""  # noqa: PLW2901 - a long name has its line, the words begin below it
        found.append(f"  {name:<{width}}  {lines[0]}".rstrip())
        found += [" " * (width + 4) + each for each in lines[1:]]
    return found
