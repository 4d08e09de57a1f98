"""One connection to the process of an isolated model: requests go out, whole answers come back.

Answers are framed by their content-length, which a scorer always says. One request is under way
on a connection at most, so an answer belongs to that one and to nobody else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.core.errors import TondoError

Headers = list[tuple[bytes, bytes]]

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length: "
_CLOSE: Final = b"\r\nconnection: close"


class Answered(NamedTuple):
    """A whole answer, as it came but for what is said of the connection itself."""

    status: int
    data: bytes
    body_at: int
    """Where the body begins in `data`."""
    closes: bool
    """Whether the process closes the connection behind it."""

    @property
    def body(self) -> bytes:
        """Return the body."""
        return self.data[self.body_at :]

    def headers(self) -> Headers:
        """Return the headers, names in lower case."""
        lines = self.data[: self.body_at - len(_END)].split(b"\r\n")[1:]
        parted = [line.partition(b":") for line in lines]
        return [(name.lower(), value.strip()) for name, _, value in parted]

    def last(self) -> bytes:
        """Return the answer as the last one of its caller's connection."""
        head = self.body_at - len(_END)
        return b"".join((self.data[:head], _CLOSE, self.data[head:]))


class Asked(Protocol):
    """A request that is handed on; whoever made it is told once, of the answer or the failure."""

    request: bytes
    bodiless: bool
    """Whether the answer has no body, whatever length it tells: HEAD."""
    began_ns: int

    @property
    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""

    def answered(self, answer: Answered) -> None:
        """Take the answer."""

    def failed(self, error: TondoError) -> None:
        """Take what happened instead."""


class Watcher(Protocol):
    """Who is told what happens on connections."""

    def made(self, upstream: Upstream) -> None:
        """Know a connection that has just been made."""

    def answered(self, upstream: Upstream, asked: Asked, answer: Answered) -> None:
        """Take an answer; the connection is free again, or closed."""

    def lost(self, upstream: Upstream, asked: Asked | None, why: str) -> None:
        """Know that a connection has ended, and the request that was under way on it."""


def framed(data: bytes, *, bodiless: bool = False) -> Answered | int:
    r"""Return the answer that `data` is, or how many bytes it needs: 0 while its head is not whole.

    ValueError where it is no answer, or more than one.

    >>> framed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{")
    40
    >>> framed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").body
    b'{}'
    """
    end = data.find(_END)
    if end < 0:
        return 0
    at = data.find(_LENGTH, 0, end)
    length = int(data[at + len(_LENGTH) : data.find(b"\r", at + 2)]) if at >= 0 else 0
    body_at = end + len(_END)
    needed = body_at if bodiless else body_at + length
    if len(data) < needed:
        return needed
    if len(data) > needed:
        raise ValueError("it sent more than was asked for")
    closes = data.find(_CLOSE, 0, end) >= 0
    if closes:
        data = data[:end].replace(_CLOSE, b"") + data[end:]
        body_at -= len(_CLOSE)
    return Answered(int(data[9:12]), data, body_at, closes)


class Upstream(asyncio.Protocol):
    """A connection to the process's Unix socket."""

    def __init__(self, watcher: Watcher) -> None:
        self.asked: Asked | None = None
        """The request under way."""
        self.free_since_ns = 0
        self._watcher = watcher
        self._transport: asyncio.Transport
        self._open = False
        self._parts: list[bytes] = []
        self._size = self._needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._open = True
        self._watcher.made(self)

    def ask(self, asked: Asked) -> None:
        """Send a request; the watcher is told of its end."""
        self.asked = asked
        self._transport.write(asked.request)
        asked.request = b""  # may be large, and whoever asked may be kept for long

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer, mostly all of it."""
        if self._size:
            self._parts.append(data)
            self._size += len(data)
            if self._size < self._needed:
                return
            data = b"".join(self._parts)
        asked = self.asked
        if asked is None:
            self.end("it speaks without being asked")
            return
        try:
            answer = framed(data, bodiless=asked.bodiless)
        except ValueError as error:
            self.end(str(error))
            return
        if isinstance(answer, int):
            self._parts, self._size, self._needed = [data], len(data), answer
            return
        self._parts, self._size = [], 0
        self.asked = None
        if answer.closes:
            self._open = False
            self._transport.close()
        self._watcher.answered(self, asked, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the watcher, unless it was we who ended it."""
        if self._open:
            self._lose(str(exc or "the process has ended"))

    def end(self, why: str) -> None:
        """End the connection at once: what still comes on it is nobody's answer."""
        if self._open:
            self._transport.abort()
            self._lose(why)

    def _lose(self, why: str) -> None:
        self._open = False
        asked, self.asked = self.asked, None
        self._watcher.lost(self, asked, why)

    def close(self) -> None:
        """End the connection, on which nothing is under way, without a word."""
        self._open = False
        self._transport.close()


_OF_A_CONNECTION: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"date"})

_NOT_SENT: Final = _OF_A_CONNECTION | {
    *(b"content-length", b"host", b"expect", b"upgrade"),
    *(b"authorization", b"x-amz-security-token", b"origin"),
}
"""Headers of a request that are written anew, or were judged already."""

_NOT_TOLD: Final = _OF_A_CONNECTION | {b"x-request-id", b"traceparent"}
"""Headers of an answer that whoever passes it on writes."""


def request_of(
    method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> bytes:
    """Return the bytes of a request as they are handed on."""
    lines = [b"%b: %b\r\n" % each for each in headers if each[0] not in _NOT_SENT]
    return b"%b %b HTTP/1.1\r\nhost: 127.0.0.1\r\n%bcontent-length: %d\r\n\r\n%b" % (
        *(method, target, b"".join(lines)),
        *(len(body), body),
    )


def passed_on(headers: Headers) -> Headers:
    """Return the headers of an answer that are the caller's too; ids are given back here."""
    return [each for each in headers if each[0] not in _NOT_TOLD]
