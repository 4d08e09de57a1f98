"""What a request passes first: its model is in memory before any shape's handler looks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tondo.core.errors import TondoError

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


class Doorman:
    """An ASGI app in front of the app: waits for cold models.

    `refuse` makes the answer of a coded error from the error and the path.
    """

    def __init__(
        self, app: App, service: Service, refuse: Callable[[TondoError, str], Any]
    ) -> None:
        self._app = app
        self._service = service
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in once its model is there."""
        named = _NAMED.match(scope["path"]) if scope["type"] == "http" else None
        table = self._service.table
        if named is not None and table is not None and named["name"] in table.plan.deployments:
            try:
                await self._service.ensure(named["name"], named["version"])
            except TondoError as error:
                await self._refuse(error, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)
