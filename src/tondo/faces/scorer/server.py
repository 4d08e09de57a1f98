"""Runs the service under uvicorn on uvloop until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from tondo.faces.scorer.admission import Admission
from tondo.faces.scorer.fastpath import FastPath, ScorerProtocol
from tondo.faces.scorer.flusher import Flusher

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.applications import Starlette

    from tondo.faces.scorer.grpc.server import GrpcServer
    from tondo.faces.scorer.pool.membership import Membership
    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.wire import Wire
    from tondo.faces.web.guard import Guard

_GRACE_S = 10
"""Seconds that requests in flight have when the process is asked to end."""

_CARE_S = 0.4
"""A supervisor that was killed is missed for so long at most."""

_DRAIN_S = 1.0
"""A caller that keeps a connection and is silent for so long is closed upon."""

_SLOW_KEEP_ALIVE_S = 75
"""Idle seconds of a connection last answered by the slow way; the fast way counts its own."""


def serve(
    service: Service,
    guard: Guard,
    listener: socket.socket | Path,
    *,
    app: Starlette,
    wire: Wire,
    beside: GrpcServer | None = None,
    fast: bool,
    parent_fd: int | None,
    announce: Callable[[], None],
    membership: Membership,
) -> None:
    """Serve until SIGTERM, SIGINT or the parent's end; then finish and close the log.

    `listener` is a bound socket, or the path of a Unix socket to be made; `app` has the pages.
    """
    # A line for each request that is no HTTP: whoever sends such would fill the disk.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    shared = FastPath(
        service,
        guard,
        enabled=fast,
        traces=wire.spans is not None,
        admission=Admission(wire.queue_ms),
    )
    bound = {"shared": shared, "request_s": wire.request_timeout}
    protocol = type("BoundProtocol", (ScorerProtocol,), bound)
    config = uvicorn.Config(
        app,
        http=protocol,
        ssl_certfile=wire.tls_cert,
        ssl_keyfile=wire.tls_key,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=_SLOW_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        uds=str(listener) if isinstance(listener, Path) else None,
    )
    server = _Server(config, shared, service, parent_fd=parent_fd, announce=announce)
    server.membership, server.beside = membership, beside
    flusher = Flusher(service.appenders.sync)
    flusher.start()
    try:
        server.run(sockets=None if isinstance(listener, Path) else [listener])
    except KeyboardInterrupt:
        pass  # uvicorn raises the signal again after it has ended everything
    finally:
        flusher.stop()
        service.threads.stop()
        service.appenders.roll()


class _Server(uvicorn.Server):
    membership: Membership
    beside: GrpcServer | None = None
    """What speaks gRPC."""

    def __init__(
        self,
        config: uvicorn.Config,
        shared: FastPath,
        service: Service,
        *,
        parent_fd: int | None,
        announce: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._shared = shared
        self._service = service
        self._parent_fd = parent_fd
        self._announce = announce

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def] # noqa: ANN202 - as in the base
        """Take the signals, and do not raise them again: ending as asked is exit code 0."""
        for each in HANDLED_SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # what is restored at the end: asked twice is once
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then tell that we are ready."""
        await super().startup(sockets)
        if self.beside is not None:
            await self.beside.start()
        loop = asyncio.get_running_loop()
        self._background = [
            loop.create_task(self._service.watch()),
            loop.create_task(self._tick()),
            loop.create_task(self._care()),
        ]
        if self._parent_fd is not None:
            os.set_blocking(self._parent_fd, False)
            loop.add_reader(self._parent_fd, self._parent_spoke)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is in flight."""
        for task in self._background:
            task.cancel()
        if self.beside is not None:
            await self.beside.stop(_GRACE_S)
        if self.membership.others:
            await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        """Accept nobody any more, and let callers go with a reply rather than without one."""
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _DRAIN_S
        self._let_go(1.0)
        while self.server_state.connections and loop.time() < deadline:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)

    def _parent_spoke(self) -> None:
        """End when the parent's pipe is closed, whatever ended the parent."""
        assert self._parent_fd is not None
        try:
            data = os.read(self._parent_fd, 64)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(self._parent_fd)
            self.should_exit = True

    async def _tick(self) -> None:
        while True:
            self._shared.tell_date(b"date: " + formatdate(usegmt=True).encode() + b"\r\n")
            for connection in list(self.server_state.connections):
                if isinstance(connection, ScorerProtocol):
                    connection.tick()
            await asyncio.sleep(1.0)

    async def _care(self) -> None:
        """Do our part for the other processes; share connections with a worker that is new."""
        others = 0
        while not self.should_exit:
            if not self.membership.look():
                self.should_exit = True
            now = self.membership.others
            if now > others:
                self._let_go((now - others) / (now + 1))
            others = now
            await asyncio.sleep(_CARE_S)

    def _let_go(self, share: float) -> None:
        """Close a share of the connections after their next reply.

        Their callers come again, and whoever has time takes them.
        """
        connections = [
            each for each in self.server_state.connections if isinstance(each, ScorerProtocol)
        ]
        for connection in connections[: int(len(connections) * share)]:
            connection.close_after_reply()
