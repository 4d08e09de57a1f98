"""The protocol's methods as pages of an isolated deployment's process, for those that hand on.

Such a process is reached over a Unix socket by the processes of its own scorer, which have judged
tokens, and which speak gRPC with the callers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route as UrlRoute

from tondo.faces.scorer.asking import body_of
from tondo.faces.scorer.grpc.calls import PAGE, Calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from tondo.faces.scorer.grpc.calls import Call
    from tondo.faces.scorer.service import Service


def inner_routes(service: Service) -> list[UrlRoute]:
    """Return a route for each method."""
    return [
        UrlRoute(PAGE.format(method=method), _page(call), methods=["POST"])
        for method, call in Calls(service).by_name().items()
    ]


def _page(call: Call) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        status, payload = await call(await body_of(request), request.headers)
        return Response(payload, status, media_type="application/octet-stream")

    return page
