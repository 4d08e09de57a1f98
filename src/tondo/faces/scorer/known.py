"""What the quick way takes: requests with nothing unusual about them, and those seen before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.faces.scorer.protocols import binary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tondo.faces.web.guard import Guard

    Headers = Sequence[tuple[bytes, bytes]]

_MOST_KNOWN_HEADS = 4096
"""Heads of requests that are remembered: all of a few hundred callers, in a megabyte."""

_LONGEST_HEAD = 1024

_UNUSUAL = frozenset(
    {
        *(b"origin", b"expect", b"transfer-encoding", b"content-encoding", b"upgrade"),
        b"x-amz-security-token",
    }
)

_IDS = frozenset({"x-request-id", "traceparent"})
_CARRIED = frozenset({binary.HEADER.encode(), *(each.encode() for each in _IDS)})
"""Headers that go with a body to the shape that reads it."""


class KnownRequests:
    """What a server's connections have learnt of its callers."""

    def __init__(self, guard: Guard, *, traces: bool) -> None:
        self._guard = guard
        self._unusual = _UNUSUAL | {b"traceparent"} if traces else _UNUSUAL
        """Headers of requests that go the slow way; traced ones where spans are written."""
        self._passed: set[tuple[bytes, bytes]] = set()
        """Host and token of those whom the guard let pass."""
        self.heads: dict[bytes, tuple[bytes, int, Mapping[str, str]]] = {}
        """A request's bytes up to its body, once they were parsed and admitted: its URL, the
        length of its body, and the headers that go with it."""

    def remember(self, head: bytes, url: bytes, length: int, carried: Mapping[str, str]) -> None:
        """Know a request by its head: the same bytes are not parsed again.

        A head with an id of its own will not come again.
        """
        if len(head) <= _LONGEST_HEAD and not _IDS & carried.keys():
            if len(self.heads) >= _MOST_KNOWN_HEADS:
                self.heads.clear()
            self.heads[head] = (url, length, carried)

    def admits(self, headers: Headers, most_bytes: int) -> bool:
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
            elif name in self._unusual:
                return False
        return sized and self._guarded(headers)

    def _guarded(self, headers: Headers) -> bool:
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
        if self._guard.refusal(headers) is not None:
            return False
        if len(self._passed) < _MOST_KNOWN_HEADS:
            self._passed.add(key)
        return True


def carried_of(headers: Headers) -> Mapping[str, str]:
    """Return the headers that go with a body to the shape that reads it."""
    return {name.decode(): value.decode("latin-1") for name, value in headers if name in _CARRIED}
