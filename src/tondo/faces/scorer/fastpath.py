"""The quick way: known scoring URLs are answered inside uvicorn's protocol, without a task.

Everything else, and every request with anything unusual about it, goes to the Starlette app,
which has the same routes. `tests/contract` watches the parts of uvicorn that this leans on.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tondo.faces.scorer.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.faces.scorer.route import Route
    from tondo.faces.scorer.service import Service
    from tondo.faces.web.guard import Guard

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}".encode() for status in HTTPStatus}
_STATUS_LINES[503] += b"\r\nretry-after: 1"

_OK = 200

IDLE_TICKS = 75
"""Seconds after which a connection on which nothing happens is closed."""

_MOST_KNOWN_HEADERS = 1024


class FastPath:
    """What all connections of a server share."""

    def __init__(
        self,
        service: Service,
        guard: Guard,
        *,
        enabled: bool = True,
        admission: Admission | None = None,
    ) -> None:
        self.service = service
        self.admission = admission or Admission()
        self.guard = guard
        self.enabled = enabled
        self.date = b""
        self._passed: set[tuple[bytes, bytes]] = set()
        self._gathered: list[tuple[ScorerProtocol, Route, bytes | None]] = []

    def gather(self, connection: ScorerProtocol, route: Route, body: bytes) -> None:
        """Keep a request until every socket that was readable has been read.

        Of one that would wait for too long no body is kept: it is refused in its turn.
        """
        if not self._gathered:
            connection.loop.call_soon(self.answer_all)
        admitted = self.admission.admits(route.metrics)
        self._gathered.append((connection, route, body if admitted else None))

    def answer_all(self) -> None:
        """Answer what was gathered: first all scores, then one write of the log, then replies.

        System calls between two requests would cost the caches their content, and with it half
        the speed of what follows.
        """
        gathered, self._gathered = self._gathered, []
        self.admission.turn()
        by_route: dict[Route, list[tuple[int, bytes]]] = {}
        answers: dict[int, tuple[int, bytes]] = {}
        for place, (_, route, body) in enumerate(gathered):
            if body is None:
                answers[place] = route.shed()
            else:
                by_route.setdefault(route, []).append((place, body))
        for route, taken in by_route.items():
            replies = route.answer_all([body for _, body in taken])
            answers.update(zip((place for place, _ in taken), replies, strict=True))
        failed = self.service.appenders.batch.flush()
        self.service.fast_answers += len(gathered)
        by_connection: dict[ScorerProtocol, list[tuple[int, bytes]]] = {}
        for place, (connection, route, _) in enumerate(gathered):
            status, payload = answers[place]
            error = failed.get(id(route.appender)) if failed and status == _OK else None
            replaced = None if error is None else route.not_written(error)
            by_connection.setdefault(connection, []).append(replaced or (status, payload))
        for connection, in_order in by_connection.items():
            connection.send_replies(in_order)

    def admits(self, headers: list[tuple[bytes, bytes]], most_bytes: int) -> bool:
        """Return whether a request may be answered here: plain, allowed, at most so long."""
        sized = False
        for header in headers:
            name = header[0]
            if name == b"content-length":
                value = header[1]
                if not value.isdigit() or int(value) > most_bytes:
                    return False
                sized = True
            elif name == b"connection":
                if header[1].lower() != b"keep-alive":
                    return False
            elif name in _UNUSUAL:
                return False
        return sized and self._guarded(headers)

    def _guarded(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Ask the guard; what it said about the same Host and token is remembered."""
        host = authorization = b""
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"authorization":
                authorization = value
        key = (host, authorization)
        if key in self._passed:
            return True
        if self.guard.refusal(headers) is not None:
            return False
        if len(self._passed) < _MOST_KNOWN_HEADERS:
            self._passed.add(key)
        return True


_UNUSUAL = frozenset({b"origin", b"expect", b"transfer-encoding", b"content-encoding", b"upgrade"})


class ScorerProtocol(HttpToolsProtocol):
    """One connection. Subclassed per server with its `shared`."""

    shared: FastPath

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.route: Route | None = None
        self.idle_ticks = 0
        self._parts: list[bytes] = []
        self._closing = False
        self.unsent = 0

    def on_message_begin(self) -> None:
        """Begin a request; the ASGI scope is made only when the slow way needs it."""
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what a request expects is asked in the slow way only."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Choose the way."""
        shared = self.shared
        if (
            shared.enabled
            and (self.cycle is None or self.cycle.response_complete)
            and (route := shared.service.fast.get(self.url)) is not None
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not self.flow.write_paused
            and shared.admits(self.headers, route.most_bytes)
        ):
            self.route = route
            self._parts = []
            return
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        if self.route is not None:
            self._parts.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Leave the request to the end of this turn of the loop."""
        route = self.route
        if route is None:
            super().on_message_complete()
            return
        self.route = None
        self.idle_ticks = 0
        parts = self._parts
        self.unsent += 1
        self.shared.gather(self, route, parts[0] if len(parts) == 1 else b"".join(parts))

    def send_replies(self, replies: Sequence[tuple[int, bytes]]) -> None:
        """Send replies (status, payload) in their order, in one write: each costs a system call."""
        self.unsent -= len(replies)
        self.server_state.total_requests += len(replies)
        if self.transport.is_closing():
            return
        closes = self._closing and not self.unsent
        last = len(replies) - 1 if closes else -1
        self.transport.write(
            b"".join(
                [
                    self._reply(status, payload, last=place == last)
                    for place, (status, payload) in enumerate(replies)
                ]
            )
        )
        if closes:
            self.transport.close()

    def _reply(self, status: int, payload: bytes, *, last: bool) -> bytes:
        """Return one reply's bytes; after the `last` one the connection is closed."""
        return (
            b"HTTP/1.1 %b\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b"
            % (
                _STATUS_LINES[status],
                self.shared.date,
                len(payload),
                b"connection: close\r\n" if last else b"",
                payload,
            )
        )

    def shutdown(self) -> None:
        """End gracefully: a request that has begun is answered first."""
        if self.route is not None or self.unsent:
            self._closing = True
        else:
            super().shutdown()

    def tick(self) -> None:
        """Close a connection on which nothing has happened for `IDLE_TICKS` seconds."""
        self.idle_ticks += 1
        busy = self.cycle is not None and not self.cycle.response_complete
        if self.idle_ticks > IDLE_TICKS and not busy:
            self.transport.close()
