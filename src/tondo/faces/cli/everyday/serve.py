"""`tondo serve`: the scorer and the pages, as processes that end with this one."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tondo.core.errors import PlatformError
from tondo.faces.cli.opening import HERE, Project, opened
from tondo.faces.cli.show import console_for_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tondo.ports.launcher import Process
    from tondo.workspace.bootstrap import Parts

# Loading models and opening stores takes a second or two; a slow disk may need more.
_READY_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.5

Port = Annotated[int | None, typer.Option(help="Port of the pages; the setting when left out.")]
ScorerPort = Annotated[
    int | None, typer.Option(help="Port of the scorer; the setting when left out.")
]


def serve(
    *,
    project: Project = HERE,
    port: Port = None,
    scorer_port: ScorerPort = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N or N..M",
            help="Processes that share the scorer's port: 2, or 1..4, as many as the load wants.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="The scorer speaks TLS: certificate chain in PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key in PEM.")] = None,
    grpc_port: Annotated[
        int | None, typer.Option(help="The scorer speaks V2 over gRPC too; 0 takes a free port.")
    ] = None,
) -> None:
    """Serve the project until Ctrl-C: the scorer, REST and the pages."""
    given = {"workers": workers, "tls_cert": tls_cert, "tls_key": tls_key, "grpc_port": grpc_port}
    with opened(project) as workspace:
        workspace.deployment.reconcile()
        parts = workspace.parts
        with serving(parts, port=port, scorer_port=scorer_port, given=given) as (web, scorer):
            serve_until_the_end(web, scorer, parts=parts)


@contextmanager
def serving(
    parts: Parts,
    *,
    port: int | None,
    scorer_port: int | None,
    given: Mapping[str, object | None] | None = None,
) -> Iterator[tuple[Process, Process]]:
    """Start scorer and control plane, wait until both answer, and end them at the end.

    `given` are options of the scorer that stand above the settings.
    """
    settings = parts.settings
    common = ["--host", settings.host, *_token(parts)]
    scorer_at = ["--port", str(settings.scorer_port if scorer_port is None else scorer_port)]
    web_at = ["--port", str(settings.web_port if port is None else port)]
    with ExitStack() as stack:
        scorer = parts.launcher.start(
            ["--root", str(parts.state), *common, *scorer_at, *_scorer_options(parts, given or {})]
        )
        stack.callback(scorer.stop)
        scorer.wait_ready(_READY_WITHIN_S)
        web = parts.web_launcher.start(
            ["--project", str(parts.root), "--advance-rollouts", *common, *web_at]
        )
        stack.callback(web.stop)
        web.wait_ready(_READY_WITHIN_S)
        yield web, scorer


def _scorer_options(parts: Parts, given: Mapping[str, object | None]) -> list[str]:
    """Return the flags of `tondo-scorer` that options, else settings, say."""
    settings = parts.settings
    wanted = {
        "workers": settings.scorer_workers,
        "memory": settings.scorer_memory_mb or None,
        # A path in the project file is seen from where that file lies.
        "tls_cert": settings.scorer_tls_cert and parts.root / settings.scorer_tls_cert,
        "tls_key": settings.scorer_tls_key and parts.root / settings.scorer_tls_key,
        "grpc_port": settings.scorer_grpc_port,
        **{name: value for name, value in given.items() if value is not None},
    }
    return [
        text
        for name, value in wanted.items()
        if value is not None and value != ""
        for text in (f"--{name.replace('_', '-')}", str(value))
    ]


def _token(parts: Parts) -> list[str]:
    """Return the flags that hand on the token of the settings, in a file that we alone read."""
    if not parts.settings.token:
        return []
    path = parts.state / "token"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(parts.settings.token, encoding="utf-8")
    return ["--token-file", str(path)]


def _tell(web: Process, scorer: Process) -> None:
    """Say where both answer."""
    console = console_for_output()
    console.print(f"pages and REST  [bold]{web.address}[/bold]")
    console.print(f"scorer          [bold]{scorer.address}[/bold]")
    if scorer.grpc_address:
        console.print(f"scorer, gRPC    [bold]{scorer.grpc_address}[/bold]")
    console.print("[dim]Ctrl-C ends both.[/dim]")


def serve_until_the_end(web: Process, scorer: Process, *, parts: Parts) -> None:
    """Say where both answer; return on Ctrl-C or SIGTERM.

    TD-CLI-008 when one of them ends by itself.

    Meanwhile consumers have a process where one is wished.
    """
    from tondo.workspace.consuming.keeper import Keeper

    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    _tell(web, scorer)
    keeper = Keeper(parts)
    try:
        while not ended.wait(_LOOK_EVERY_S):
            _check_running((web, scorer))
            keeper.look()
    finally:
        keeper.stop()


def _check_running(processes: Iterable[Process]) -> None:
    for process in processes:
        if not process.running:
            raise PlatformError(
                "TD-CLI-008",
                f"the process at {process.address} has ended by itself",
                expected="scorer and pages to run until Ctrl-C",
                fix="Start again with tondo serve; what was acknowledged is kept.",
            )
