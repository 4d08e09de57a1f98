"""Runs the consumers of a project until it is told to end: says so in one line, then works."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import TondoError

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOK_S = 0.5
"""How long new requests wait to be scored: short beside the minutes a shadow is watched for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Work for a project; return the exit code: 0 ended as asked, 2 a coded error."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(message)s")
    # Threads that spin while they wait would take what live traffic needs; read at first use.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        return _run(options)
    except TondoError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tondo.faces.consumer", description="Run the consumers that are wished."
    )
    parser.add_argument("--project", type=Path, default=Path(), help="the project's folder (.)")
    parser.add_argument("--parent-fd", type=int, help="end when this pipe closes")
    parser.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"]
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    from tondo.workspace.bootstrap import open_workspace
    from tondo.workspace.consuming.runs import Runs

    ended = _end_of(options.parent_fd)
    with (
        open_workspace(options.project) as workspace,
        closing(Runs(workspace.parts)) as runs,
    ):
        _log_to(workspace.parts.state / "consumers" / "consumers.log")
        _announce()
        busy = False
        while not ended.wait(0.0 if busy else LOOK_S):
            runs.follow()
            busy = runs.step()
    return 0


def _log_to(path: Path) -> None:
    """Keep warnings in a file too: nobody reads what a process of its own says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)


def _announce() -> None:
    ready = {"ready": "consumer", "pid": os.getpid()}
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


def _end_of(parent_fd: int | None) -> threading.Event:
    """Return what is set by SIGTERM, SIGINT or the parent's end (its pipe closes)."""
    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    if parent_fd is not None:

        def watch() -> None:
            os.read(parent_fd, 1)
            ended.set()

        threading.Thread(target=watch, name="tondo-parent", daemon=True).start()
    return ended
