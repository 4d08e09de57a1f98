"""Where the control plane listens, and who may reach it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.faces.web.binding import BindingCodes, demanded_token, listen, reached_at

if TYPE_CHECKING:
    import socket
    from pathlib import Path

_CODES = BindingCodes(taken="TD-API-006", no_token="TD-API-007", bad_token="TD-API-008")  # noqa: S106 - codes


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; TD-API-006 names the port that is taken."""
    return listen(host, port, _CODES)


def address_of(host: str, listener: socket.socket) -> str:
    """Return the URL under which this machine reaches the listener."""
    return f"http://{reached_at(host, listener)}"


def read_token(host: str, file: Path | None) -> str | None:
    """Return the token to demand; TD-API-007 where it is missing, -008 where it is bad."""
    return demanded_token(host, file, _CODES)
