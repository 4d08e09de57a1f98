"""`tondo`: help at once, then hand over to Typer; every fault ends as a line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, MissingExtraError, TondoError, near
from tondo.faces.cli.faults import (
    EXIT_INTERRUPTED,
    has_colour,
    print_error,
    print_unexpected,
)
from tondo.faces.cli.help import help_text
from tondo.faces.cli.index import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.faces.cli.index import Index

_HELP = ("--help", "-h")
# Of each library that the platform extra brings to the command line: all or none is installed.
_PLATFORM = ("typer", "rich", "sqlalchemy", "duckdb", "pyarrow")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `tondo` with `arguments`; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # OpenMP threads that spin while they wait slow every other process down; read at first use.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        return _run(words)
    except TondoError as error:
        return print_error(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`tondo ... | head`): nothing is left to say, nor to flush.
        sys.stdout = None
        return 0
    except Exception as error:  # noqa: BLE001 - the process edge: a log and one line
        return print_unexpected(error)


def _run(words: list[str]) -> int:
    if words in (["--version"], ["version"]):
        from importlib.metadata import version

        sys.stdout.write(f"tondo {version('tondo')}\n")
        return 0
    index = load()
    asked = _asks_help(words)
    if asked is not None:
        page = help_text(asked, index, bold=has_colour(sys.stdout))
        if page is not None:
            sys.stdout.write(page)
            return 0
    _check_names(asked if asked is not None else words, index)
    if words[0] == "explain" and len(words) == 2 and not _is_installed():
        from tondo.faces.cli.codes import page_of

        sys.stdout.write(page_of(words[1]))
        return 0
    _check_installed(words)
    from tondo.faces.cli.app import run

    return run(words, index)


def _asks_help(words: list[str]) -> list[str] | None:
    """Return the command that help is asked for, or None when it is not."""
    if not words or words == ["help"]:
        return []
    for at, each in enumerate(words):
        if each == "--":
            return None
        if each in _HELP:
            return words[:at]
    return words if len(words) == 1 and words[0] in load()["nouns"] else None


def _check_names(words: Sequence[str], index: Index) -> None:
    commands = index["commands"]
    first, *rest = words
    if first in commands[""]:
        return
    if first not in commands:
        choices = [*commands[""], *index["nouns"]]
        raise CallerError(
            "TD-CLI-002",
            f"there is no command '{first}'",
            expected="a verb or a noun that `tondo --help` lists",
            fix=near(first, choices),
            command=first,
        )
    verb = rest[0] if rest else ""
    if verb not in commands[first]:
        raise CallerError(
            "TD-CLI-002",
            f"'{first}' has no verb '{verb}'",
            fix=near(verb, commands[first]),
            command=f"{first} {verb}",
        )


def _is_installed() -> bool:
    import importlib.util

    return all(importlib.util.find_spec(each) for each in _PLATFORM)


def _check_installed(words: Sequence[str]) -> None:
    if _is_installed():
        return
    raise MissingExtraError.of("platform", f"tondo {words[0]}")
