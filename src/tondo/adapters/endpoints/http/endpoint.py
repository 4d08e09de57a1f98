"""A scorer asked over HTTP on one connection that is kept."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from tondo.core.errors import CallerError, OutsideError

TIMEOUT_S = 30.0


class HttpEndpoint:
    """Asks `http://HOST:PORT`; TD-SERVING-016 for what is no such address."""

    def __init__(self, address: str, *, token: str | None = None) -> None:
        parts = urlsplit(address)
        try:
            host, port = parts.hostname, parts.port or 80
        except ValueError:
            host, port = None, 0
        if parts.scheme != "http" or not host:
            raise CallerError(
                "TD-SERVING-016",
                f"'{address}' is no address of a scorer",
                expected="http://HOST:PORT",
                address=address,
            )
        self.address = address
        self._connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a JSON body; return status and body (ports/endpoints.py)."""
        try:
            self._connection.request("POST", path, body, self._headers)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise OutsideError(
                "TD-SERVING-017",
                f"the scorer at {self.address} did not answer: {error or type(error).__name__}",
                expected="a scorer that serves the staging deployment",
                fix="Start one (tondo serve), or replay in process.",
                address=self.address,
            ) from None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
