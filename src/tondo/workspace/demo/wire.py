"""A keep-alive HTTP/1.1 connection that sends several requests and then reads their answers."""

from __future__ import annotations

import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httptools
import msgspec

from tondo.core.errors import OutsideError

_READ_BYTES = 1 << 18
_IDLE_S = 2.0
"""A server closes a connection that is idle for long; after this much a new one is opened."""


class Answer(msgspec.Struct, frozen=True):
    """Status and body of one answer."""

    status: int
    body: bytes


class Wire:
    """One connection to one server; requests are pipelined, answers come in order."""

    def __init__(self, address: str, *, timeout_s: float = 30.0) -> None:
        parts = urlsplit(address)
        self._address = address
        self._place = (str(parts.hostname), int(parts.port or 80))
        self._host = f"{parts.hostname}:{parts.port}"
        self._timeout_s = timeout_s
        self._used_s = 0.0
        self._body = bytearray()
        self._answers: list[Answer] = []
        self._connect()

    def post(self, path: str, body: bytes) -> bytes:
        """Return the bytes of one POST request."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body

    def send(self, requests: list[bytes]) -> None:
        """Send the requests; `receive` reads as many answers."""
        if time.monotonic() - self._used_s > _IDLE_S:
            self.close()
            self._connect()
        self._socket.sendall(b"".join(requests))
        self._used_s = time.monotonic()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._place, self._timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser: Any = httptools.HttpResponseParser(self)
        self._used_s = time.monotonic()

    def receive(self, count: int) -> list[Answer]:
        """Return `count` answers in the order of their requests."""
        while len(self._answers) < count:
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise OutsideError(
                    "TD-DEMO-001",
                    f"the scorer at {self._address} closed the connection",
                    expected=f"{count} answers, {len(self._answers)} came",
                    fix="Run the command again: it goes on from the last answer.",
                )
            self._parser.feed_data(data)
        answers = self._answers[:count]
        del self._answers[:count]
        return answers

    def on_message_begin(self) -> None:
        """Start an answer (called by the parser)."""
        self._body.clear()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body (called by the parser)."""
        self._body += data

    def on_message_complete(self) -> None:
        """Keep the answer (called by the parser)."""
        self._answers.append(Answer(self._parser.get_status_code(), bytes(self._body)))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
