"""Scoring URLs of isolated deployments on the quick way: bytes go on, bytes come back.

A request that was handed on stands where uvicorn keeps an ASGI cycle. So a connection knows that
an answer is owed: what its caller sends meanwhile goes the slow way and is answered behind it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from tondo.faces.scorer.asking import error_shape
from tondo.faces.scorer.fastpath import with_ids
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES
from tondo.faces.scorer.protocols.carried import Sent, sent_headers
from tondo.faces.scorer.upstream import request_of
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from tondo.core.errors import TondoError
    from tondo.faces.scorer.fastpath import ScorerProtocol
    from tondo.faces.scorer.forwarding import Forwarder
    from tondo.faces.scorer.upstream import Answered


class AwayRoute:
    """One scoring URL that another process answers; it is asked where a `Route` is."""

    most_bytes = MAX_BODY_BYTES
    away: Literal[True] = True

    def __init__(self, url: str, forwarder: Forwarder) -> None:
        self.metrics = forwarder.metrics
        self._url = url.encode()
        self._forwarder = forwarder
        self._encode_error = error_shape(url)

    @property
    def full(self) -> bool:
        """Whether no further request is taken."""
        return self._forwarder.full

    def shed(self) -> tuple[int, bytes]:
        """Return the refusal of a request."""
        return self.refuse(self._forwarder.shed())

    def refuse(self, error: TondoError) -> tuple[int, bytes]:
        """Return status and payload of an error."""
        return status_of(error), self._encode_error(error)

    def hand_on(self, connection: ScorerProtocol, body: bytes) -> None:
        """Hand a request on; its connection is free until the answer is there."""
        handed: Any = _Handed(connection, self, body)
        connection.cycle = handed
        self._forwarder.send(handed)

    def request_of(self, body: bytes) -> bytes:
        """Return the bytes that are handed on."""
        told = sent_headers(body).items()
        headers = [(name.encode(), value.encode("latin-1")) for name, value in told]
        return request_of(b"POST", self._url, headers, body)


class _Handed:
    """A request that was handed on; what uvicorn reads of a cycle, it has."""

    bodiless = False
    more_body = False
    began_ns = 0

    def __init__(self, connection: ScorerProtocol, route: AwayRoute, body: bytes) -> None:
        self.request = route.request_of(body)
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True
        self.message_event = asyncio.Event()
        self._connection = connection
        self._route = route
        self._ids = b"" if body.__class__ is bytes else Sent.of(b"", sent_headers(body))

    @property
    def gone(self) -> bool:
        """Whether the caller has gone away."""
        return self.disconnected

    def answered(self, answer: Answered) -> None:
        """Send the answer as it is."""
        last = self._is_last
        self._send(answer.last() if last else answer.data, last=last)

    def failed(self, error: TondoError) -> None:
        """Send an error."""
        last = self._is_last
        reply = with_ids(self._ids, self._route.refuse(error))
        self._send(self._connection.shared.reply(*reply, last=last), last=last)

    @property
    def _is_last(self) -> bool:
        """Whether the connection is closed behind this answer."""
        connection = self._connection
        return not self.keep_alive or (connection.closing and not connection.pipeline)

    def _send(self, data: bytes, *, last: bool) -> None:
        self.response_complete = True
        connection = self._connection
        if connection.transport.is_closing():
            return
        connection.transport.write(data)
        if last:
            connection.transport.close()
        connection.on_response_complete()
