"""Bodies that know what the headers beside them say, and payloads that know theirs.

A handler reads and writes bodies. Where a shape says part of its meaning in headers, the body
carries them along, through every thread and batch, as the plain bytes that it also is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sent(bytes):
    """A request's body with its headers, names in lower case."""

    headers: Mapping[str, str]

    @classmethod
    def of(cls, body: bytes, headers: Mapping[str, str]) -> Sent:
        """Return `body` with `headers`."""
        sent = cls(body)
        sent.headers = headers
        return sent


class Reply(bytes):
    """A payload with its headers, the content type among them; plain bytes are JSON."""

    headers: Mapping[str, str]

    @classmethod
    def of(cls, payload: bytes, headers: Mapping[str, str]) -> Reply:
        """Return `payload` with `headers`."""
        reply = cls(payload)
        reply.headers = headers
        return reply


JSON = {"content-type": "application/json"}


def sent_headers(body: bytes) -> Mapping[str, str]:
    """Return the headers that came with a body, none where it is plain.

    >>> sent_headers(Sent.of(b"1,2", {"content-type": "text/csv"}))["content-type"]
    'text/csv'
    >>> sent_headers(b"{}")
    {}
    """
    return body.headers if isinstance(body, Sent) else {}


def reply_headers(payload: bytes) -> Mapping[str, str]:
    """Return the headers that go out with a payload.

    >>> reply_headers(b"{}")["content-type"]
    'application/json'
    """
    return payload.headers if isinstance(payload, Reply) else JSON
