"""What a request passes first: its model is in memory, or in another process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from tondo.core.errors import TondoError
from tondo.faces.scorer.forwarding import passed_on
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES, too_large
from tondo.faces.scorer.protocols.rows import unreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tondo.faces.scorer.service import Service
    from tondo.scoring.plan import PlannedDeployment

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

_NAMED = re.compile(
    r"/(?:v1/deployments|v1/models|v2/models|endpoints)/(?P<name>[^/:]+)"
    r"(?:/(?:versions|labels)/(?P<version>[^/:]+))?(?:[/:]|$)"
)
"""The URLs that name a deployment, in every shape."""

_FOR_NOW = (429, 503)


class Doorman:
    """An ASGI app in front of the app: waits for cold models, hands on to isolated ones.

    `refuse` makes the answer of a coded error from the error and the path.
    """

    def __init__(
        self, app: App, service: Service, refuse: Callable[[TondoError, str], Any]
    ) -> None:
        self._app = app
        self._service = service
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in once its model is there; hand on what another process answers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._app
        try:
            named = _NAMED.match(scope["path"])
            if named is not None and (deployment := self._planned(named["name"])) is not None:
                if deployment.isolate == "process":
                    body = await read_body(receive)
                    answer = await handed_on(self._service, named["name"], scope, body)
                else:
                    await self._service.ensure(named["name"], named["version"])
        except TondoError as error:
            answer = self._refuse(error, scope["path"])
        await answer(scope, receive, _with_retry_after(send))

    def _planned(self, name: str) -> PlannedDeployment | None:
        table = self._service.table
        return None if table is None else table.plan.deployments.get(name)


async def handed_on(service: Service, name: str, scope: Any, body: bytes) -> Response:
    """Return the answer of the process that runs the models of an isolated deployment."""
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    request = scope["method"].encode(), target, scope["headers"], body
    status, headers, payload = await service.isolation.forward(name, service.fast, request)
    response = Response(payload, status)
    response.raw_headers = [
        *passed_on(headers),
        (b"content-length", str(len(payload)).encode()),
    ]
    return response


async def read_body(receive: Receive) -> bytes:
    """Read a body up to the limit, TD-SCORE-010 beyond; the rest is never kept."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise unreachable("the caller went away before the body was whole")
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise too_large(size)
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _with_retry_after(send: Send) -> Send:
    """Tell who is refused for now when to come again."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] in _FOR_NOW:
            headers = message.setdefault("headers", [])
            if all(name != b"retry-after" for name, _ in headers):
                message = {**message, "headers": [*headers, (b"retry-after", b"1")]}
        await send(message)

    return sending
