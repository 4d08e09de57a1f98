"""Runs the control plane: open the project, listen, say so in one line, serve until the end."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.core.errors import TondoError
from tondo.faces.server.binding import address_of, bind, read_token

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORT = 8460


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a project; return the exit code: 0 ended as asked, 2 a coded error."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(levelname)s %(message)s")
    try:
        return _run(options)
    except TondoError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tondo.faces.server", description="Serve a project: REST and pages."
    )
    parser.add_argument("--project", type=Path, default=Path(), help="the project's folder (.)")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port; 0 takes a free one")
    parser.add_argument(
        "--allow-host", action="append", default=[], help="another Host name to answer under"
    )
    parser.add_argument("--token-file", type=Path, help="file with the token to demand")
    parser.add_argument("--parent-fd", type=int, help="end when this pipe closes")
    parser.add_argument(
        "--advance-rollouts", action="store_true", help="look at rollouts every second and act"
    )
    parser.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"]
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    token = read_token(options.host, options.token_file)
    listener = bind(options.host, options.port)
    from tondo.faces.api.app import create_app
    from tondo.faces.api.serve import serve
    from tondo.faces.ui.routes import page_routes
    from tondo.workspace.bootstrap import open_workspace
    from tondo.workspace.rollout_loop import RolloutLoop

    with open_workspace(options.project) as workspace:
        app = create_app(
            workspace, token=token, allowed_hosts=options.allow_host, pages=page_routes()
        )
        address = address_of(options.host, listener)
        loop = RolloutLoop(workspace) if options.advance_rollouts else nullcontext()
        with loop:
            serve(app, listener, address=address, parent_fd=options.parent_fd)
    return 0
