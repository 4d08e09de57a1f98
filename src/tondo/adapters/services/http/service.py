"""A feature service over HTTP: POST {"keys", "features", "as_of"}, answered by {"rows": [...]}."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tondo.adapters.services.http.deadline import responses_until
from tondo.core.errors import OutsideError
from tondo.core.instants import format_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ports.services import ServiceSettings

MOST_BYTES = 4 << 20
"""A longer answer is refused: a thousand keys of a hundred features need less."""
_OK = 200


class _Answer(msgspec.Struct, frozen=True):
    rows: list[dict[str, Any]]


_decode = msgspec.json.Decoder(_Answer).decode


class HttpFeatureService:
    """Asks one address; each thread keeps its connection open between requests."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._address = urlsplit(settings.url)
        self._local = threading.local()
        self._opened: list[http.client.HTTPConnection] = []
        self._target = self._address.path or "/"
        if self._address.query:
            self._target += f"?{self._address.query}"

    def ask(
        self, keys: Sequence[Any], features: Sequence[str], *, as_of_us: int
    ) -> list[dict[str, Any]]:
        """Return one mapping of features a key (`ports/services.py`)."""
        told = {"keys": keys, "features": features, "as_of": format_instant(as_of_us)}
        body = msgspec.json.encode(told)
        try:
            status, data = self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise self._failed(f"cannot be reached: {error!r}") from None
        if status != _OK:
            raise self._failed(f"answers with status {status}")
        try:
            rows = _decode(data).rows
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._failed(f"answers nonsense: {error}") from None
        if len(rows) != len(keys):
            raise self._failed(f"answers {len(rows)} rows for {len(keys)} keys")
        return rows

    def close(self) -> None:
        """Close every thread's connection."""
        for connection in list(self._opened):
            if connection.sock is not None:
                # Closing alone would wait for a thread that reads from it.
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Send and read; a connection that the service closed meanwhile is opened again once."""
        fresh = getattr(self._local, "connection", None) is None
        try:
            return self._exchange(body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if fresh:
                raise
            self._drop()
            return self._exchange(body)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        connection = self._connection()
        timeout_s = self._settings.timeout_us / 1e6
        connection.response_class = responses_until(monotonic() + timeout_s)
        if connection.sock is not None:
            connection.sock.settimeout(timeout_s)
        headers = {"content-type": "application/json", "accept": "application/json"}
        token = os.environ.get(self._settings.token_env, "") if self._settings.token_env else ""
        if token:
            headers["authorization"] = f"Bearer {token}"
        connection.request("POST", self._target, body, headers)
        with connection.getresponse() as response:
            data = response.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise http.client.HTTPException(f"more than {MOST_BYTES} bytes")
            return response.status, data

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            secure = self._address.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            # Of connecting and sending; reading has a deadline over all its waits.
            timeout_s = self._settings.timeout_us / 1e6
            found = kind(self._address.hostname or "", self._address.port, timeout=timeout_s)
            self._local.connection = found
            self._opened.append(found)
        return found

    def _drop(self) -> None:
        found = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            self._opened.remove(found)
            self._local.connection = None

    def _failed(self, what: str) -> OutsideError:
        address = self._address
        shown = f"{address.scheme}://{address.hostname}:{address.port or 80}{address.path}"
        return OutsideError(
            "TD-SERVICE-001",
            f"the feature service of view '{self._settings.view}' at {shown} {what}",
            expected='{"rows": [{...}]}, one row a key, within the time limit',
            fix="Look at the service; until then the defaults of the view are used and flagged.",
            view=self._settings.view,
        )
