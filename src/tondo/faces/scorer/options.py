"""The command line of `tondo-scorer`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError
from tondo.faces.scorer.wire import add_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORT = 8461
_MOST_WORKERS = 256
_BOUNDS = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?", re.ASCII)

_INTERNAL = {"--role": str, "--run": Path, "--listen-fd": int, "--only": str}
"""How the processes of one scorer are told their parts."""


def parser() -> argparse.ArgumentParser:
    """Return what reads it."""
    made = argparse.ArgumentParser(
        prog="tondo-scorer", description="Answer scoring requests over HTTP."
    )
    what = made.add_mutually_exclusive_group(required=True)
    what.add_argument("--root", type=Path, help="workspace folder whose serving plan is followed")
    what.add_argument("--packages", type=Path, help="bare folder of *.tondo packages to serve")
    made.add_argument(
        "--shared",
        type=Path,
        metavar="FOLDER",
        help="with --root: where plan, blobs, key and online settings of several scorers lie",
    )
    made.add_argument("--log", type=Path, help="with --packages: folder for the prediction log")
    made.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1)")
    made.add_argument("--port", type=int, default=DEFAULT_PORT, help="port; 0 takes a free one")
    made.add_argument(
        "--workers",
        type=_bounds,
        default=None,
        metavar="N or N..M",
        help="processes that share the port, as many as the load wants (1); "
        "1..1 is one that is replaced when it ends",
    )
    made.add_argument(
        "--memory", type=int, metavar="MB", help="most memory of all models; others wait unloaded"
    )
    made.add_argument(
        "--allow-host", action="append", default=[], help="another Host name to answer under"
    )
    made.add_argument("--token-file", type=Path, help="file with the bearer token to demand")
    add_arguments(made)
    made.add_argument("--no-fast-path", action="store_true", help="answer by Starlette only")
    for name, kind in _INTERNAL.items():
        made.add_argument(name, type=kind, help=argparse.SUPPRESS)
    made.add_argument("--parent-fd", type=int, help="end when this pipe closes")
    made.add_argument(
        "--log-level", default="warning", choices=["debug", "info", "warning", "error"]
    )
    return made


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; TD-SCORER-017 for a number of workers that cannot be."""
    options = parser().parse_args(arguments)
    # Only the supervisor of isolated models, which another process starts, has no workers.
    if options.role is None and options.workers is not None and options.workers[0] < 1:
        raise _no_workers(str(options.workers[0]))
    return options


def _bounds(text: str) -> tuple[int, int] | None:
    """Read how many workers there may be; None where one process answers without others.

    TD-SCORER-017 for what is no number and no bounds.

    >>> _bounds("1"), _bounds("2"), _bounds("1..4")
    (None, (2, 2), (1, 4))
    """
    if text == "1":
        return None
    found = _BOUNDS.fullmatch(text)
    bounds = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not bounds[0] <= bounds[1] <= _MOST_WORKERS:
        raise _no_workers(text)
    return bounds


def _no_workers(text: str) -> CallerError:
    return CallerError(
        "TD-SCORER-017",
        f"'{text}' is no number of workers",
        expected=f"a number such as 2, or bounds such as 1..4; 1 to {_MOST_WORKERS}",
        fix="Give --workers (or the setting scorer_workers) such a value.",
    )
