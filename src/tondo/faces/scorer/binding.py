"""Where a scorer listens, and what it demands of those who are not on this machine."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError, PlatformError
from tondo.faces.web.guard import is_loopback

if TYPE_CHECKING:
    import argparse

_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; TD-SCORER-001 names the port that is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = error.strerror if isinstance(error, OSError) else "a port is 0 to 65535"
        raise PlatformError(
            "TD-SCORER-001",
            f"cannot listen on {host}:{port}: {why}",
            expected="an address of this machine with a port nobody else uses",
            fix="Stop the other process, or choose another --port (0 takes a free one)."
            if taken
            else "Check --host and --port.",
            port=port,
        ) from None
    listener.setblocking(False)
    return listener


def free_port(host: str) -> int:
    """Return a port that nobody has, for several workers to share."""
    with bind(host, 0) as taken:
        port: int = taken.getsockname()[1]
        return port


def address_of(host: str, listener: socket.socket) -> str:
    """Return host and port under which a socket is reached."""
    name = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - shown, not bound
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{listener.getsockname()[1]}"


def token_of(options: argparse.Namespace) -> str | None:
    """Return the token to demand; TD-SCORER-004 where it is missing, -009 where it is bad."""
    if options.token_file is not None:
        try:
            token = str(options.token_file.read_text().strip())
        except OSError as error:
            raise CallerError(
                "TD-SCORER-009",
                f"the token file {options.token_file} cannot be read: {error.strerror}",
                expected="a file with one line, the token",
            ) from None
        if len(token) >= 16:
            return token
        raise CallerError(
            "TD-SCORER-009",
            f"the token in {options.token_file} is too short",
            expected="at least 16 characters",
            fix="Write for example the output of: openssl rand -hex 32",
        )
    if not is_loopback(options.host):
        raise CallerError(
            "TD-SCORER-004",
            f"{options.host} can be reached from other machines",
            expected="a token for every bind beyond this machine",
            fix="Give --token-file, or bind to 127.0.0.1.",
        )
    return None
