"""Who is let in, and the headers that every answer carries."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from tondo.faces.api.answers import error_answer
from tondo.faces.web.guard import Guard, GuardMiddleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tondo.core.errors import TondoError

OPEN_PATHS = frozenset({"/health"})
"""Answered without a token: says only that the process lives."""

# No script or style but our own files, no frame around us, no address but our own.
HEADERS = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            b"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Access:
    """ASGI middleware: the guard of faces/web, a browser's way to give the token, headers."""

    def __init__(
        self,
        app: Any,
        *,
        token: str | None,
        allowed_hosts: Sequence[str],
        endings: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._endings = endings
        self._guarded = GuardMiddleware(
            app, guard=Guard(allowed_hosts, token=token), refuse=_refuse
        )
        self._open = GuardMiddleware(app, guard=Guard(allowed_hosts), refuse=_refuse)

    def end(self) -> None:
        """End what would go on for ever: a server that ends waits for answers under way."""
        for each in self._endings:
            each()

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Pass a request on when it may come in; add the headers to its answer."""
        if scope["type"] != "http":
            await self._open(scope, receive, send)
            return

        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        inner = self._open if scope["path"] in OPEN_PATHS else self._guarded
        told = {**scope, "headers": [_as_bearer(*each) for each in scope["headers"]]}
        await inner(told, receive, send_with_headers)


def _refuse(error: TondoError, _scope: dict[str, Any]) -> Any:
    return error_answer(error).to_asgi_response(app=None, request=None)  # type: ignore[arg-type]


def _as_bearer(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Return a Basic header as the Bearer header that it stands for.

    A browser can ask a person for a name and a password, not for a token: the password is it.

    >>> _as_bearer(b"authorization", b"Basic " + base64.b64encode(b"me:secret"))
    (b'authorization', b'Bearer secret')
    """
    scheme, _, rest = value.partition(b" ")
    if name != b"authorization" or scheme.lower() != b"basic":
        return name, value
    try:
        decoded = base64.b64decode(rest.strip(), validate=True)
    except binascii.Error:
        return name, value
    return name, b"Bearer " + decoded.partition(b":")[2]
