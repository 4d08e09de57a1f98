"""`tondo serve`: the scorer and the pages, as processes that end with this one."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tondo.faces.cli.opening import HERE, Project, opened
from tondo.faces.cli.show import console_for_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.launcher import Process
    from tondo.workspace.bootstrap import Parts

# Loading models and opening stores takes a second or two; a slow disk may need more.
_READY_WITHIN_S = 30.0

Port = Annotated[int | None, typer.Option(help="Port of the pages; the setting when left out.")]
ScorerPort = Annotated[
    int | None, typer.Option(help="Port of the scorer; the setting when left out.")
]


def serve(*, project: Project = HERE, port: Port = None, scorer_port: ScorerPort = None) -> None:
    """Serve the project until Ctrl-C: the scorer, REST and the pages."""
    with opened(project) as workspace:
        workspace.deployment.reconcile()
        parts = workspace.parts
        with serving(parts, port=port, scorer_port=scorer_port) as (web, scorer):
            tell(web, scorer)
            wait_for_the_end()


@contextmanager
def serving(
    parts: Parts, *, port: int | None, scorer_port: int | None
) -> Iterator[tuple[Process, Process]]:
    """Start scorer and control plane, wait until both answer, and end them at the end."""
    settings = parts.settings
    with ExitStack() as stack:
        scorer = parts.launcher.start(
            [
                "--root",
                str(parts.state),
                *_address(settings.host, scorer_port, settings.scorer_port),
            ]
        )
        stack.callback(scorer.stop)
        scorer.wait_ready(_READY_WITHIN_S)
        web = parts.web_launcher.start(
            ["--project", str(parts.root), *_address(settings.host, port, settings.web_port)]
        )
        stack.callback(web.stop)
        web.wait_ready(_READY_WITHIN_S)
        yield web, scorer


def _address(host: str, asked: int | None, setting: int) -> list[str]:
    return ["--host", host, "--port", str(setting if asked is None else asked)]


def tell(web: Process, scorer: Process) -> None:
    """Say where both answer."""
    console = console_for_output()
    console.print(f"pages and REST  [bold]{web.address}[/bold]")
    console.print(f"scorer          [bold]{scorer.address}[/bold]")
    console.print("[dim]Ctrl-C ends both.[/dim]")


def wait_for_the_end() -> None:
    """Return on Ctrl-C or SIGTERM."""
    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    ended.wait()
