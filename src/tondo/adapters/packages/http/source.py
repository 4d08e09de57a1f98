"""Fetches a package over HTTP."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from tondo.adapters.packages.faults import not_given, too_large

WAIT_S = 30.0
"""For each wait on the network: a server that says nothing for so long is given up."""
_CHUNK = 1 << 20
_OWN_HOSTS = ("localhost", "127.0.0.1", "::1")


class HttpPackages:
    """Asks a server for a file; `token` goes as a bearer token to the named host alone."""

    def __init__(self, token: str | None = None) -> None:
        self._token = token

    def fetch(self, url: str, *, most_bytes: int) -> bytes:
        """Return the file; TD-PACKAGE-011 with the server's status, -012 when it is too large."""
        try:
            request = Request(url, headers={"Accept": "application/octet-stream, */*"})  # noqa: S310 - the scheme was checked
            if self._token:
                request.add_unredirected_header("Authorization", f"Bearer {self._token}")
            with _opener(url).open(request, timeout=WAIT_S) as answer:
                return _read(answer, url, most_bytes)
        except HTTPError as error:
            with error:
                raise not_given(url, f"its server answers with status {error.code}") from None
        except (HTTPException, OSError, ValueError) as error:
            raise not_given(url, str(getattr(error, "reason", error)) or repr(error)) from None


def _opener(url: str) -> OpenerDirector:
    """Return what opens an address: HTTP alone, so no server leads on to files of this machine."""
    # A proxy of the surroundings is not meant for the machine's own servers.
    proxies = ProxyHandler({}) if urlsplit(url).hostname in _OWN_HOSTS else ProxyHandler()
    opener = OpenerDirector()
    handlers: tuple[Any, ...] = (
        *(HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler),
        *(HTTPRedirectHandler, HTTPErrorProcessor, UnknownHandler),
    )
    for each in (proxies, *(kind() for kind in handlers)):
        opener.add_handler(each)
    return opener


def _read(answer: HTTPResponse, url: str, most_bytes: int) -> bytes:
    told = answer.headers.get("Content-Length", "")
    if told.isdigit() and int(told) > most_bytes:
        raise too_large(url, most_bytes)
    data = bytearray()
    while chunk := answer.read(_CHUNK):
        data += chunk
        if len(data) > most_bytes:
            raise too_large(url, most_bytes)
    if told.isdigit() and len(data) < int(told):
        raise not_given(url, f"its server sent {len(data)} of {told} bytes")
    return bytes(data)
