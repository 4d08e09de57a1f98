"""Runs an app under uvicorn: one ready line, then answers until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tondo.faces.api.access import Access

GRACE_S = 5
"""Seconds that requests in flight have when the process is asked to end."""


def serve(app: Access, listener: socket.socket, *, address: str, parent_fd: int | None) -> None:
    """Serve until SIGTERM, SIGINT or the parent's end (its pipe closes)."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    signal.signal(signal.SIGTERM, _end)
    # uvicorn sends itself again the signal that ended it, after it has ended everything.
    with contextlib.suppress(KeyboardInterrupt):
        server = _Server(config, address=address, parent_fd=parent_fd, end=app.end)
        server.run(sockets=[listener])


def _end(*_: Any) -> None:
    raise KeyboardInterrupt


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        *,
        address: str,
        parent_fd: int | None,
        end: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._end = end
        self._address = address
        self._parent_fd = parent_fd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._parent_fd is not None:
            asyncio.get_running_loop().add_reader(self._parent_fd, self._parent_ended)
        ready = {"ready": self._address, "pid": os.getpid()}
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end()
        await super().shutdown(sockets)

    def _parent_ended(self) -> None:
        assert self._parent_fd is not None
        asyncio.get_running_loop().remove_reader(self._parent_fd)
        self.should_exit = True
