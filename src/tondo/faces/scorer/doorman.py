"""What a request passes first: its model is in memory, or in another process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from tondo.core.errors import TondoError
from tondo.faces.scorer.asking import body_of
from tondo.faces.scorer.upstream import passed_on

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tondo.faces.scorer.service import Service

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
            if named is not None and self._is_planned(named["name"]):
                if self._service.is_isolated(named["name"]):
                    body = await body_of(Request(scope, receive))
                    answer = await handed_on(self._service, named["name"], scope, body)
                else:
                    await self._service.ensure(named["name"], named["version"])
        except TondoError as error:
            answer = self._refuse(error, scope["path"])
        await answer(scope, receive, _with_retry_after(send))

    def _is_planned(self, name: str) -> bool:
        table = self._service.table
        return table is not None and name in table.plan.deployments


async def handed_on(service: Service, name: str, scope: Any, body: bytes) -> Response:
    """Return the answer of the process that runs the models of an isolated deployment."""
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    forwarder = service.isolation.forwarder(name)
    answer = await forwarder.forward(scope["method"].encode(), target, scope["headers"], body)
    response = Response(answer.body, answer.status)
    response.raw_headers = passed_on(answer.headers())
    return response


def _with_retry_after(send: Send) -> Send:
    """Tell who is refused for now when to come again."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] in _FOR_NOW:
            headers = message.setdefault("headers", [])
            if all(name != b"retry-after" for name, _ in headers):
                message = {**message, "headers": [*headers, (b"retry-after", b"1")]}
        await send(message)

    return sending
