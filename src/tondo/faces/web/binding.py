"""Where a server listens, how it is reached, and what it demands of other machines.

The refusals are alike for every server; each has codes of its own.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, NamedTuple

from tondo.core.errors import CallerError, PlatformError
from tondo.faces.web.guard import is_loopback

if TYPE_CHECKING:
    from pathlib import Path

SHORTEST_TOKEN = 16
"""16 characters of base 64 are 96 bits: beyond guessing over a network."""

_BACKLOG = 2048


class BindingCodes(NamedTuple):
    """The codes of a server's refusals."""

    taken: str
    """The address cannot be listened on."""
    no_token: str
    """Other machines could reach it, and no token is demanded."""
    bad_token: str
    """The token's file cannot be read, or the token is too short."""


def listen(host: str, port: int, codes: BindingCodes) -> socket.socket:
    """Return a listening socket; `codes.taken` names the port that is taken."""
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
            codes.taken,
            f"cannot listen on {host}:{port}: {why}",
            expected="an address of this machine with a port that nobody else uses",
            fix="Stop the other process, or choose another --port (0 takes a free one)."
            if taken
            else "Check --host and --port.",
            port=port,
        ) from None
    listener.setblocking(False)
    return listener


def reached_at(host: str, listener: socket.socket) -> str:
    """Return host and port under which this machine reaches a socket."""
    name = "127.0.0.1" if host in {"0.0.0.0", "::"} else host.strip("[]")  # noqa: S104 - shown
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{listener.getsockname()[1]}"


def demanded_token(host: str, file: Path | None, codes: BindingCodes) -> str | None:
    """Return the token to demand; `codes.no_token` when a bind beyond loopback has none."""
    if file is None:
        if is_loopback(host):
            return None
        raise CallerError(
            codes.no_token,
            f"{host} can be reached from other machines",
            expected="a token for every bind beyond this machine",
            fix="Give --token-file FILE, or bind to 127.0.0.1.",
            host=host,
        )
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CallerError(
            codes.bad_token,
            f"the token file {file} cannot be read ({error})",
            expected="a file with one line, the token",
        ) from None
    if len(token) < SHORTEST_TOKEN:
        raise CallerError(
            codes.bad_token,
            f"the token in {file} is too short",
            expected=f"at least {SHORTEST_TOKEN} characters",
            fix="Write for example the output of: openssl rand -hex 32",
        )
    return token
