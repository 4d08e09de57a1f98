"""Handing requests on to the process of an isolated model, over a Unix socket.

The process is a scorer of its own: the same URLs, the same shapes, the same log. What is handed on
are bytes, so a request costs this process no more than that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AT_ONCE = 4
"""Requests handed on at once to one process. It has one thread that answers; each that is under
way costs this process's event loop a quarter of a millisecond in the turn that it returns in."""

MOST_IN_FLIGHT = 32
"""Those, and others that wait here, which costs nothing; what is beyond is refused."""

DEADLINE_S = 30.0
"""As long as a process may be silent before it is started anew."""

Headers = list[tuple[bytes, bytes]]

_OWN: Final = frozenset(
    {b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"host"}
    | {b"authorization", b"origin", b"expect", b"upgrade", b"date"}
)
"""Headers that are of one connection, or were judged already."""


class Forwarder:
    """Hands requests on to one process, several at once, each on a connection of its own."""

    def __init__(self, deployment: str, socket: Path) -> None:
        self._deployment = deployment
        self._socket = socket
        self._idle: list[_Upstream] = []
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.in_flight = 0
        """Requests under way or waiting; kept by whoever hands them on."""

    @property
    def full(self) -> bool:
        """Whether no further request should be handed on now."""
        return self.in_flight >= MOST_IN_FLIGHT

    async def forward(
        self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Return status, headers and body of the process's answer.

        TD-SCORER-013 when it does not run, ends meanwhile, or does not answer in time.
        """
        lines = [b"%b: %b\r\n" % each for each in headers if each[0] not in _OWN]
        request = b"%b %b HTTP/1.1\r\nhost: 127.0.0.1\r\n%bcontent-length: %d\r\n\r\n%b" % (
            *(method, target, b"".join(lines)),
            *(len(body), body),
        )
        try:
            async with asyncio.timeout(DEADLINE_S), self._slots:
                return await self._ask(request)
        except TimeoutError:
            raise self._away(f"no answer within {DEADLINE_S:g} s") from None
        except OSError as error:
            raise self._away(error.strerror or type(error).__name__) from None

    async def _ask(self, request: bytes) -> tuple[int, Headers, bytes]:
        upstream = await self._connection()
        try:
            answer = await upstream.ask(request)
        except BaseException:
            upstream.close()
            raise
        if upstream.open:
            self._idle.append(upstream)
        return answer

    async def _connection(self) -> _Upstream:
        while self._idle:
            upstream = self._idle.pop()
            if upstream.open:
                return upstream
        loop = asyncio.get_running_loop()
        _, made = await loop.create_unix_connection(_Upstream, str(self._socket))
        return made

    def close(self) -> None:
        """Close the connections that wait for requests."""
        while self._idle:
            self._idle.pop().close()

    def _away(self, why: str) -> PlatformError:
        return PlatformError(
            "TD-SCORER-013",
            f"the process that runs the models of '{self._deployment}' does not answer: {why}",
            expected="a process that is started anew when it ends",
            fix="Send the request again after a second. Where this lasts, look at GET /v1/status "
            "and into the scorer's log: a model may be damaged, or take more than its memory_mb.",
            deployment=self._deployment,
        )


class _Upstream(asyncio.Protocol):
    """One connection to the process, with one request under way at most."""

    def __init__(self) -> None:
        self.open = False
        self._transport: asyncio.Transport
        self._answered: asyncio.Future[tuple[int, Headers, bytes]] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.open = True

    async def ask(self, request: bytes) -> tuple[int, Headers, bytes]:
        """Send a request and return its answer; OSError when the connection ends before."""
        self._answered = asyncio.get_running_loop().create_future()
        self._received = b""
        self._transport.write(request)
        return await self._answered

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer."""
        self._received += data
        answer = _parsed(self._received)
        if answer is not None and self._answered is not None and not self._answered.done():
            self.open = self.open and (b"connection", b"close") not in answer[1]
            self._answered.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self.open = False
        if self._answered is not None and not self._answered.done():
            lost = ConnectionResetError("the process has ended")
            lost.strerror = str(exc or lost)
            self._answered.set_exception(lost)

    def close(self) -> None:
        """End the connection."""
        self.open = False
        self._transport.close()


def _parsed(data: bytes) -> tuple[int, Headers, bytes] | None:
    """Return status, headers and body of a whole answer, None while it is not whole.

    A scorer always says how long its answer is.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].split(b"\r\n")
    headers: Headers = []
    length = 0
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip()))
        if headers[-1][0] == b"content-length":
            length = int(headers[-1][1])
    body = data[end + 4 :]
    return (int(first[9:12]), headers, body) if len(body) >= length else None


def passed_on(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """Return the headers of an answer that are the caller's too."""
    return [each for each in headers if each[0] not in _OWN]
