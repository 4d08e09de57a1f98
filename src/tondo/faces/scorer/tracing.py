"""Request ids and W3C trace context: taken from the caller, given back, written as spans.

An id in `X-Request-Id` is the logged request's id, else the trace's is, and goes back in that
header. A valid `traceparent` goes back with a span id of ours; where spans are asked for, one line
of JSON a request says what a collector of OpenTelemetry reads: ids, name, start, end, attributes.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from tondo.ports.clock import Clock

_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_REQUEST_ID: Final = re.compile(r"[\x21-\x7e]{1,128}")

_log = logging.getLogger("tondo.scorer")

_encode = msgspec.json.Encoder().encode


class Traced(NamedTuple):
    """A caller's trace context."""

    trace_id: str
    """32 hexadecimal digits."""
    parent_id: str
    """16: the caller's span."""
    flags: str


def parse_traceparent(text: str) -> Traced | None:
    """Return a trace context, None where it is not valid: it is then to be ignored.

    W3C Trace Context, level 1, section 3.2.

    >>> parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").parent_id
    'b7ad6b7169203331'
    >>> parse_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01")
    """
    found = _PARENT.fullmatch(text)
    if found is None or (found[4] and text.startswith("00")):
        return None
    if not found[1].strip("0") or not found[2].strip("0"):
        return None
    return Traced(found[1], found[2], found[3])


def valid_request_id(text: str | None) -> str | None:
    """Return a caller's request id, None where there is none that can be written down.

    >>> valid_request_id("a-1"), valid_request_id("a b"), valid_request_id(None)
    ('a-1', None, None)
    """
    return text if text is not None and _REQUEST_ID.fullmatch(text) else None


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return a request's id: its own, else that of its trace, else None.

    >>> request_id_of({"x-request-id": "a-1"})
    'a-1'
    """
    if not headers:
        return None
    own = valid_request_id(headers.get("x-request-id"))
    traced = None if own else parse_traceparent(headers.get("traceparent", ""))
    return own if traced is None else traced.trace_id


class Spans:
    """Appends spans to a file, a line of JSON each; names are those of OpenTelemetry's JSON."""

    def __init__(self, path: Path, clock: Clock) -> None:
        try:
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise PlatformError(
                "TD-SCORER-023",
                f"spans cannot be written to {path}: {error.strerror}",
                expected="a file that can be appended to",
                fix="Name another file with --spans, or leave it out.",
            ) from None
        self._now_us = clock.now_us

    def write(self, traced: Traced, span_id: str, name: str, took_ns: int, status: int) -> None:
        """Append the span of a request that has just ended."""
        end_ns = self._now_us() * 1000
        span = {
            "traceId": traced.trace_id,
            "spanId": span_id,
            "parentSpanId": traced.parent_id,
            "name": name,
            "kind": 2,  # SPAN_KIND_SERVER
            "startTimeUnixNano": str(end_ns - took_ns),
            "endTimeUnixNano": str(end_ns),
            "attributes": [
                {"key": "http.response.status_code", "value": {"intValue": str(status)}}
            ],
        }
        try:
            self._file.write(_encode(span) + b"\n")
        except OSError as error:
            # A full disk must not cost the answer, which has been given.
            _log.warning("a span was not written: %s", error)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TraceMiddleware:
    """ASGI middleware that gives ids back, and tells `spans` of each traced request."""

    def __init__(self, app: Any, *, spans: Spans | None = None) -> None:
        self._app = app
        self._spans = spans

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass the request on; requests that carry no ids pay for one look at their headers."""
        request_id: str | None = None
        traced: Traced | None = None
        for name, value in scope.get("headers", ()):
            if name == b"x-request-id":
                request_id = valid_request_id(value.decode("latin-1"))
            elif name == b"traceparent":
                traced = parse_traceparent(value.decode("latin-1"))
        if request_id is None and traced is None:
            await self._app(scope, receive, send)
            return
        span_id, start, statuses = secrets.token_hex(8), time.perf_counter_ns(), [500]

        async def send_with_ids(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses[0] = message["status"]
                told = _told(request_id, traced, span_id)
                ours = [(name.encode(), text.encode("latin-1")) for name, text in told]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        await self._app(scope, receive, send_with_ids)
        if traced is not None and self._spans is not None:
            name = f"{scope['method']} {scope['path']}"
            took_ns = time.perf_counter_ns() - start
            self._spans.write(traced, span_id, name, took_ns, statuses[0])


def given_back(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a reply has because of the request's own: its ids, where valid."""
    request_id = valid_request_id(headers.get("x-request-id"))
    traced = parse_traceparent(headers.get("traceparent", ""))
    return dict(_told(request_id, traced, secrets.token_hex(8)))


def _told(request_id: str | None, traced: Traced | None, span_id: str) -> list[tuple[str, str]]:
    """Return the headers of a reply."""
    told = [] if request_id is None else [("x-request-id", request_id)]
    if traced is not None:
        told.append(("traceparent", f"00-{traced.trace_id}-{span_id}-{traced.flags}"))
    return told
