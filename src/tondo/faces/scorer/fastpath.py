"""The quick way: known scoring URLs are answered inside uvicorn's protocol, without a task.

Everything else, and every request with anything unusual about it, goes to the Starlette app,
which has the same routes. `tests/contract` watches the parts of uvicorn that this leans on.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tondo.faces.scorer.admission import Admission
from tondo.faces.scorer.known import KnownRequests, carried_of
from tondo.faces.scorer.limits import LimitedProtocol
from tondo.faces.scorer.protocols.carried import Reply, Sent, reply_headers, sent_headers
from tondo.faces.scorer.tracing import given_back

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.core.errors import PlatformError
    from tondo.faces.scorer.handing import AwayRoute
    from tondo.faces.scorer.route import Route
    from tondo.faces.scorer.service import Service
    from tondo.faces.web.guard import Guard

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}".encode() for status in HTTPStatus}
_STATUS_LINES[503] += b"\r\nretry-after: 1"

_OK = 200

IDLE_TICKS = 75
"""Seconds after which a connection on which nothing happens is closed."""

Gathered = tuple["Route", "list[ScorerProtocol]", "list[bytes]"]
"""A route, and whose requests with which bodies wait for it."""


class FastPath:
    """What all connections of a server share."""

    def __init__(
        self,
        service: Service,
        guard: Guard,
        *,
        enabled: bool = True,
        admission: Admission | None = None,
        traces: bool = False,
    ) -> None:
        self.service = service
        self.admission = admission or Admission()
        self.known = KnownRequests(guard, traces=traces)
        self.enabled = enabled
        self.ok = b""
        self.tell_date(b"")
        self._gathered: dict[Route, Gathered] = {}
        self._last: Gathered | None = None
        """What was gathered for the route of the last request."""
        self.has_begun = False
        """Whether this turn of the loop has brought a request."""
        self._will_end = False

    def tell_date(self, line: bytes) -> None:
        """Begin every reply with this `date` header."""
        self.date = line
        self.ok = self._head(_OK) + b"%d\r\n\r\n%b"

    def _head(self, status: int, payload: bytes = b"") -> bytes:
        headers = "".join(f"{name}: {text}\r\n" for name, text in reply_headers(payload).items())
        return b"HTTP/1.1 %b\r\n%b%bcontent-length: " % (
            _STATUS_LINES[status],
            self.date,
            headers.encode("latin-1"),
        )

    def reply(self, status: int, payload: bytes, *, last: bool) -> bytes:
        """Return one reply's bytes; after the `last` one the connection is closed."""
        end = b"\r\nconnection: close\r\n\r\n" if last else b"\r\n\r\n"
        return b"%b%d%b%b" % (self._head(status, payload), len(payload), end, payload)

    def gather(self, connection: ScorerProtocol, route: Route | AwayRoute, body: bytes) -> None:
        """Keep a request until every socket that was readable has been read.

        What would wait for too long is refused at once. A connection's requests to two addresses
        are answered one after the other: its replies are in the order of its requests.
        """
        self.has_begun = True
        admitted = self.admission.admits(route.metrics)
        if route.away:
            self._hand_on(connection, route, body, admitted=admitted)
            return
        if connection.unsent and not (admitted and connection.last_route is route):
            self.answer_all()
        connection.unsent += 1
        if not admitted:
            connection.send_reply(with_ids(body, route.shed()))
            return
        connection.last_route = route
        gathered = self._last
        if gathered is None or gathered[0] is not route:
            gathered = self._last = self._gathered.setdefault(route, (route, [], []))
        gathered[1].append(connection)
        gathered[2].append(body)

    def _hand_on(
        self, connection: ScorerProtocol, route: AwayRoute, body: bytes, *, admitted: bool
    ) -> None:
        """Hand a request on to another process; what is asked before it is answered before."""
        if connection.unsent:
            self.answer_all()
        if admitted and not route.full:
            self.service.fast_answers += 1
            route.hand_on(connection, body)
        else:
            connection.unsent += 1
            connection.send_reply(with_ids(body, route.shed()))

    def end_turn_soon(self, connection: ScorerProtocol) -> None:
        """End this turn after the connections that are readable; at once where this is all."""
        if len(connection.connections) == 1:
            self.end_turn()
        elif not self._will_end:
            self._will_end = True
            connection.loop.call_soon(self.end_turn)

    def end_turn(self) -> None:
        """Answer what one turn of the loop has brought."""
        self.has_begun = self._will_end = False
        self.admission.turn()
        self.answer_all()

    def answer_all(self) -> None:
        """Answer what was gathered: first all scores, then one write of the log, then replies.

        System calls between two requests would cost the caches their content, and with it half
        the speed of what follows.
        """
        gathered = self._gathered.values()
        self._gathered, self._last = {}, None
        answered = [(*each, each[0].answer_all(each[2])) for each in gathered]
        failed = self.service.appenders.batch.flush()
        for route, connections, bodies, replies in answered:
            self._reply(route, connections, bodies, replies, failed)

    def answer(self, connection: ScorerProtocol, route: Route, body: bytes) -> None:
        """Answer a request that comes alone: there is no other connection to wait for."""
        connection.unsent = 1
        replies = route.answer_all([body])
        failed = self.service.appenders.batch.flush()
        self._reply(route, [connection], [body], replies, failed)

    def _reply(
        self,
        route: Route,
        connections: Sequence[ScorerProtocol],
        bodies: Sequence[bytes],
        replies: Sequence[tuple[int, bytes]],
        failed: Mapping[int, PlatformError],
    ) -> None:
        """Send replies, or in their place that their frames could not be kept."""
        self.service.fast_answers += len(replies)
        if failed and (error := failed.get(id(route.appender))) is not None:
            replies = [_kept(route, error, each) for each in replies]
        for connection, body, reply in zip(connections, bodies, replies, strict=True):
            told = reply if body.__class__ is bytes else with_ids(body, reply)
            connection.send_reply(told)


def _kept(route: Route, error: PlatformError, answer: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return the answer, or that its frame was lost."""
    return (answer[0] == _OK and route.not_written(error)) or answer


def with_ids(body: bytes, reply: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return a reply with the ids that came with the request."""
    status, payload = reply
    told = given_back(sent_headers(body))
    return status, Reply.of(payload, {**reply_headers(payload), **told}) if told else payload


_NOTHING: Mapping[str, str] = {}


class ScorerProtocol(LimitedProtocol):
    """One connection. Subclassed per server with its `shared`."""

    shared: FastPath

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.route: Route | AwayRoute | None = None
        self.unsent = 0
        """Requests that were gathered and not replied to."""
        self.last_route: Route | None = None
        """Where the last of them went."""
        self.is_between = True
        """Whether the parser has seen whole requests only, and the last was answered here."""
        self._carried: Mapping[str, str] = _NOTHING
        self._parts: list[bytes] = []
        self._replies: list[bytes] = []
        self._received = b""
        """What is being parsed, while it begins with a request and has no second one."""
        self._closing = False

    def data_received(self, data: bytes) -> None:
        """Take a request that is known by its head; leave everything else to the parser."""
        if self.is_between and not self.refused:
            shared = self.shared
            end = data.find(b"\r\n\r\n") + 4
            known = shared.known.heads.get(data[:end])
            if known is not None and len(data) - end == known[1] and self._may_be_quick():
                url, length, carried = known
                route = shared.service.fast.get(url)
                if route is not None and length <= route.most_bytes:
                    if self.timeout_keep_alive_task is not None:
                        self._unset_keepalive_if_required()
                    self.idle_ticks = 0
                    body = data[end:]
                    if carried:
                        body = Sent.of(body, carried)
                    if len(self.connections) == 1 and not self.unsent and not route.away:
                        shared.answer(self, route, body)
                    else:
                        shared.gather(self, route, body)
                        shared.end_turn_soon(self)
                    return
        self._received = data if self.is_between else b""
        super().data_received(data)
        self._received = b""
        if self.shared.has_begun:
            self.shared.end_turn_soon(self)

    def _may_be_quick(self) -> bool:
        """Return whether nothing before is unanswered, and the caller takes what we write."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def on_message_begin(self) -> None:
        """Begin a request; the ASGI scope is made only when the slow way needs it."""
        if not self.is_between:
            self._received = b""
        self.is_between = False
        self.begin_head()
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what a request expects is asked in the slow way only."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Choose the way."""
        self.end_head()
        shared = self.shared
        if (
            shared.enabled
            and self._may_be_quick()
            and (route := shared.service.fast.get(self.url)) is not None
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and shared.known.admits(self.headers, route.most_bytes)
        ):
            self.route = route
            self._parts = []
            self._carried = carried_of(self.headers)
            return
        if self.unsent:
            shared.answer_all()  # what is asked behind is answered behind
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
        self.end_request()
        route = self.route
        if route is None:
            super().on_message_complete()
            return
        self.route = None
        self.is_between = True
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._remember(body)
        carried = self._carried
        self.shared.gather(self, route, Sent.of(body, carried) if carried else body)

    def _remember(self, body: bytes) -> None:
        """Know the request again by its head, if it is all that was received and no more.

        The parser takes no line feed without a carriage return: heads end where we say.
        """
        data, self._received = self._received, b""
        end = data.find(b"\r\n\r\n") + 4
        if data.startswith(b"POST ") and data[end:] == body:
            self.shared.known.remember(data[:end], self.url, len(body), self._carried)

    def send_reply(self, reply: tuple[int, bytes]) -> None:
        """Send the reply to the oldest request; those of one turn in one write, a system call."""
        self.unsent -= 1
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        last = self._closing and not self.unsent
        shared, (status, payload) = self.shared, reply
        if status == _OK and not last and payload.__class__ is bytes:
            data = shared.ok % (len(payload), payload)
        else:
            data = shared.reply(status, payload, last=last)
        if self.unsent or self._replies:
            self._replies.append(data)
            if self.unsent:
                return
            data = b"".join(self._replies)
            self._replies.clear()
        self.transport.write(data)
        if last:
            self.transport.close()

    @property
    def closing(self) -> bool:
        """Whether the connection is to be closed once all is answered."""
        return self._closing

    @property
    def owes(self) -> bool:
        """Whether a request that is whole has not been answered."""
        return self.unsent > 0 or super().owes

    def end_when_answered(self) -> None:
        """Close the connection with the last answer that is owed."""
        self._closing = self.unsent > 0
        super().end_when_answered()

    def shutdown(self) -> None:
        """End gracefully: a request that has begun is answered first."""
        if self.route is not None or self.unsent:
            self._closing = True
        else:
            super().shutdown()

    def close_after_reply(self) -> None:
        """Let the next reply be the last: the caller will connect anew."""
        self._closing = True

    def tick(self) -> None:
        """Close a connection on which nothing has happened for `IDLE_TICKS` seconds."""
        super().tick()
        self.idle_ticks += 1
        busy = self.cycle is not None and not self.cycle.response_complete
        if self.idle_ticks > IDLE_TICKS and not busy:
            self.transport.close()
