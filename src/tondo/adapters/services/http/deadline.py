"""Answers that must be there by an instant, however slowly their bytes drip."""

from __future__ import annotations

import http.client
import io
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import socket


def responses_until(deadline_s: float) -> type[http.client.HTTPResponse]:
    """Return what makes responses; reading one past the deadline (monotonic) is TimeoutError."""

    def made(sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, *args, **options)
        response.fp.close()
        response.fp = io.BufferedReader(_Bytes(sock, deadline_s))
        return response

    # A class of its own for each request would cost more than the request's other work.
    return cast("type[http.client.HTTPResponse]", made)


class _Bytes(io.RawIOBase):
    """A socket's bytes; each wait for some ends at the deadline."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._sock = sock
        self._deadline_s = deadline_s
        # Holds the socket open until the response is read, as `makefile` does for `HTTPResponse`.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what comes next."""
        left_s = self._deadline_s - monotonic()
        if left_s <= 0:
            raise TimeoutError("the answer was not whole within the time limit")
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
