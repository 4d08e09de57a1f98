"""A connection's limits: how large a request's head may be, how long a request may take to come.

What breaks them, or is no HTTP, is answered by a coded error and a closed connection; where an
earlier request of the connection still waits for its answer, that is sent and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tondo.core.errors import CallerError
from tondo.faces.scorer.protocols import rows
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from tondo.core.errors import TondoError

MAX_HEAD_BYTES: Final = 64 << 10
"""Of a request line with its headers: what proxies commonly allow, twice over."""

MAX_HEADERS: Final = 128

REQUEST_S: Final = 30.0

_STUCK_S: Final = 30
"""Seconds after which a caller who does not take what we write is given up."""


class HeadTooLargeError(Exception):
    """Ends the parsing of a head."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection within its limits; `tick` is called every second."""

    request_s = REQUEST_S
    """Seconds from the first byte of a request to its last."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.idle_ticks = 0
        self._in_head = True
        self._head_bytes = 0
        self._begun_at: float | None = None
        self.refused = False
        self._too_large = False
        self._stuck_ticks = 0

    @property
    def owes(self) -> bool:
        """Whether a request that is whole has not been answered."""
        cycle = self.cycle
        return bool(self.pipeline) or (
            cycle is not None and not cycle.response_complete and not cycle.more_body
        )

    def end_when_answered(self) -> None:
        """Close the connection with the last answer that is owed."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless it is too much of a head."""
        if self.refused:
            return
        self.idle_ticks = 0
        if self._begun_at is None:
            self._begun_at = self.loop.time()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self.refuse(_head_too_large())

    def begin_head(self) -> None:
        """Count anew: a request begins."""
        self._in_head = True
        self._head_bytes = 0

    def end_head(self) -> None:
        """Look at a head that is whole; raises where it is too large."""
        self._in_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > MAX_HEADERS or size > MAX_HEAD_BYTES:
            self._too_large = True
            raise HeadTooLargeError

    def end_request(self) -> None:
        """Note that a request is whole."""
        self._begun_at = None
        self._in_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser did not take."""
        self.refuse(_head_too_large() if self._too_large else _not_http(msg))

    def refuse(self, error: TondoError) -> None:
        """Answer by an error, and close."""
        if self.refused:
            return
        self.refused = True
        if self.transport.is_closing():
            return
        if self.owes:
            self.end_when_answered()
            return
        payload = rows.encode_error(error)
        self.transport.write(
            b"%bcontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (STATUS_LINE[status_of(error)], len(payload), payload)
        )
        self.transport.close()

    def tick(self) -> None:
        """Give up a request that takes too long to come, and a caller who takes no answer."""
        begun_at = self._begun_at
        if begun_at is not None and self.loop.time() - begun_at > self.request_s:
            self.refuse(_too_slow(self.request_s))
        if self.refused and not self.owes:
            self.transport.close()
        self._stuck_ticks = self._stuck_ticks + 1 if self.flow.write_paused else 0
        if self._stuck_ticks > _STUCK_S:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what had begun."""
        self._begun_at = None
        super().connection_lost(exc)


def _head_too_large() -> CallerError:
    return CallerError(
        "TD-WEB-006",
        "the request's line and headers are too large",
        expected=f"at most {MAX_HEAD_BYTES} bytes and {MAX_HEADERS} headers",
    )


def _not_http(why: str) -> CallerError:
    return CallerError(
        "TD-WEB-007",
        f"the request is no HTTP that is answered here: {why}",
        expected="HTTP/1.1 with one length of the body",
    )


def _too_slow(limit_s: float) -> CallerError:
    return CallerError(
        "TD-WEB-008",
        f"the request was not whole after {limit_s:g} s",
        expected="all of it in that time",
        fix="Send less at once, or start the scorer with a larger --request-timeout.",
    )
