"""The Typer app: everyday verbs, and the one noun that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tondo.core.errors import CallerError
from tondo.faces.cli.everyday import BY_HAND, EVERYDAY, by_hand, everyday
from tondo.faces.cli.plain import plain_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.faces.cli.index import Index


def run(words: Sequence[str], index: Index) -> int:
    """Run one command; usage faults become coded errors."""
    if words[0] == "demo":
        from tondo.faces.cli.everyday.demo import run_demo

        return run_demo(list(words[1:]))
    command = typer.main.get_command(build(words[0], index))
    try:
        result = command.main(list(words), prog_name="tondo", standalone_mode=False)
    except Exception as error:
        # Typer's own errors have no class that all of its versions share.
        said = getattr(error, "format_message", None)
        if said is None:
            raise
        raise CallerError(
            "TD-CLI-003",
            str(said()).rstrip("."),
            fix=f"See: tondo {' '.join(words[: 1 if words[0] in EVERYDAY else 2])} --help",
        ) from None
    return result if isinstance(result, int) else 0


def build(first: str, index: Index) -> typer.Typer:
    """Return the app with the everyday verb or the noun `first` in it."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    # With a callback Typer keeps the verb as a word, also when there is only one command.
    app.callback()(_root)
    if first in EVERYDAY:
        app.command(first)(everyday(first))
        return app
    noun = typer.Typer(add_completion=False)
    noun.callback()(_root)
    for verb, command in index["commands"][first].items():
        written = (first, verb) in BY_HAND
        noun.command(verb)(by_hand(first, verb) if written else plain_command(command))
    app.add_typer(noun, name=first)
    return app


def _root() -> None:
    """Machine learning in production, the whole round."""
