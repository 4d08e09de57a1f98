"""Where a scorer listens, and what it demands of those who are not on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.faces.web.binding import BindingCodes, demanded_token, listen

if TYPE_CHECKING:
    import argparse
    import socket

_CODES = BindingCodes(taken="TD-SCORER-001", no_token="TD-SCORER-004", bad_token="TD-SCORER-009")  # noqa: S106 - codes


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; TD-SCORER-001 names the port that is taken."""
    return listen(host, port, _CODES)


def free_port(host: str) -> int:
    """Return a port that nobody has, for several workers to share."""
    with bind(host, 0) as taken:
        port: int = taken.getsockname()[1]
        return port


def token_of(options: argparse.Namespace) -> str | None:
    """Return the token to demand; TD-SCORER-004 where it is missing, -009 where it is bad."""
    return demanded_token(options.host, options.token_file, _CODES)
