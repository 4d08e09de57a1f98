"""Who may speak to a face: Host allow list, Origin check, bearer token.

A page of another site can make a browser send requests to 127.0.0.1, also under a name of its
own that resolves there. The Host list stops the second, the Origin check the first.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tondo.core.errors import TondoError

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Return whether a bind address is reachable from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Decides from a request's headers; names and values as bytes, names in lower case.

    `hosts` are names without port; with a `token` and no hosts, any Host will do, because a
    page of another site does not know the token.
    """

    def __init__(self, hosts: Iterable[str] = (), *, token: str | None = None) -> None:
        named = tuple(hosts)
        self._any_host = token is not None and not named
        self._hosts = frozenset(each.lower() for each in (*LOOPBACK_HOSTS, *named))
        self._token = None if token is None else token.encode()

    def refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> TondoError | None:
        """Return why the request is refused, or None: TD-WEB-001, -002, -003."""
        host = origin = authorization = session = b""
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorization = value
            elif name == b"x-amz-security-token":
                session = value
        return (
            self._host_refusal(host)
            or self._origin_refusal(origin, host)
            or self.token_refusal(authorization, session)
        )

    def _host_refusal(self, host: bytes) -> TondoError | None:
        name = _without_port(host.decode("latin-1"))
        if self._any_host or name in self._hosts:
            return None
        return CallerError(
            "TD-WEB-001",
            f"this server does not answer under the name '{name}'",
            expected="one of " + ", ".join(sorted(self._hosts)),
            fix="Allow the name when starting the server.",
        )

    def _origin_refusal(self, origin: bytes, host: bytes) -> TondoError | None:
        if not origin or origin.partition(b"://")[2].lower() == host.lower():
            return None
        return CallerError(
            "TD-WEB-002",
            f"a page of {origin.decode('latin-1')} may not send requests here",
            expected="requests from this server's own pages, or from programs",
        )

    def token_refusal(self, authorization: bytes, session: bytes = b"") -> TondoError | None:
        """Return TD-WEB-003 unless there is no token or it was given.

        `session` is the session token of AWS clients, whose authorization is a signature.
        """
        if self._token is None:
            return None
        scheme, _, given = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            given = session
        if hmac.compare_digest(given.strip(), self._token):
            return None
        return CallerError(
            "TD-WEB-003",
            "the request carries no valid token",
            expected="the header 'Authorization: Bearer <token>'",
        )


def _without_port(host: str) -> str:
    """Return the host name of a Host header, in lower case.

    >>> _without_port("LOCALHOST:8461"), _without_port("[::1]:80")
    ('localhost', '[::1]')
    """
    if host.startswith("["):
        return host[: host.find("]") + 1].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


class GuardMiddleware:
    """ASGI middleware: refused requests are answered by `refuse(error)` as an ASGI app."""

    def __init__(
        self, app: Any, *, guard: Guard, refuse: Callable[[TondoError, dict[str, Any]], Any]
    ) -> None:
        self._app = app
        self._guard = guard
        self._refuse = refuse

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass the request on, or answer it."""
        refused = self._guard.refusal(scope["headers"]) if scope["type"] == "http" else None
        app = self._app if refused is None else self._refuse(refused, scope)
        await app(scope, receive, send)
