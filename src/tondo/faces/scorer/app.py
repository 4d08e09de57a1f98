"""The scorer as a Starlette app: every route, also those that the fast path answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route as UrlRoute

from tondo.core.errors import CallerError, TondoError
from tondo.faces.scorer.asking import ask, error_response, json_response, name_of
from tondo.faces.scorer.compatible import compatible_routes
from tondo.faces.scorer.doorman import Doorman
from tondo.faces.scorer.protocols import rows, v2
from tondo.faces.scorer.reading_on import ReadOn
from tondo.faces.scorer.tracing import TraceMiddleware
from tondo.faces.web.guard import GuardMiddleware

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from tondo.faces.scorer.service import Service
    from tondo.faces.scorer.tracing import Spans
    from tondo.faces.web.guard import Guard


def make_app(
    service: Service,
    guard: Guard,
    *,
    invoked: str | None = None,
    spans: Spans | None = None,
    further: Sequence[UrlRoute] = (),
) -> Starlette:
    """Return the app over a service; `invoked` is the deployment that `/invocations` is."""
    pages = _Pages(service)
    get, post = ["GET"], ["POST"]
    return Starlette(
        routes=[
            UrlRoute("/v2", pages.server, methods=get),
            UrlRoute("/v2/health/live", pages.live, methods=get),
            UrlRoute("/v2/health/ready", pages.ready, methods=get),
            UrlRoute("/v2/models/{name}", pages.model, methods=get),
            UrlRoute("/v2/models/{name}/ready", pages.model_ready, methods=get),
            UrlRoute("/v2/models/{name}/versions/{version}", pages.model, methods=get),
            UrlRoute("/v2/models/{name}/versions/{version}/ready", pages.model_ready, methods=get),
            UrlRoute("/v2/models/{name}/infer", pages.infer, methods=post),
            UrlRoute("/v2/models/{name}/versions/{version}/infer", pages.infer, methods=post),
            UrlRoute("/v1/deployments/{name}/score", pages.score, methods=post),
            UrlRoute("/v1/deployments/{name}/versions/{version}/score", pages.score, methods=post),
            UrlRoute("/v1/status", pages.status, methods=get),
            UrlRoute("/v1/log/roll", pages.roll, methods=post),
            UrlRoute("/metrics", pages.metrics, methods=get),
            *compatible_routes(service, invoked=invoked),
            *further,
        ],
        middleware=[
            Middleware(ReadOn),
            Middleware(TraceMiddleware, spans=spans),
            Middleware(GuardMiddleware, guard=guard, refuse=_refuse),
            Middleware(Doorman, service=service, refuse=error_response),
        ],
        exception_handlers={TondoError: _coded, 404: _no_such_page, 405: _no_such_method},  # type: ignore[dict-item]
    )


class _Pages:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, _: Request) -> Response:
        return json_response(v2.SERVER)

    async def live(self, _: Request) -> Response:
        return json_response({"live": True})

    async def ready(self, _: Request) -> Response:
        ready = self._service.ready
        return json_response({"ready": ready}, 200 if ready else 503)

    async def model(self, request: Request) -> Response:
        name, version = name_of(request), request.path_params.get("version")
        table = self._service.require_table()
        path = table.path_of(name, version)
        serving = next(iter(path.servings.values()))
        versions = (
            table.version_numbers(name) if version is None else [str(serving.variant.version)]
        )
        return json_response(v2.metadata(path, serving, versions))

    async def model_ready(self, request: Request) -> Response:
        table = self._service.require_table()
        table.path_of(name_of(request), request.path_params.get("version"))
        return json_response({"ready": True})

    async def score(self, request: Request) -> Response:
        return await ask(self._service, request, rows.ROUTE, request.path_params.get("version"))

    async def infer(self, request: Request) -> Response:
        return await ask(self._service, request, v2.ROUTE, request.path_params.get("version"))

    async def status(self, _: Request) -> Response:
        return json_response(self._service.status())

    async def roll(self, _: Request) -> Response:
        return json_response({"segments": await self._service.roll()})

    async def metrics(self, _: Request) -> Response:
        return Response(self._service.metrics_text(), media_type="text/plain; version=0.0.4")


async def _coded(request: Request, error: TondoError) -> Response:
    return error_response(error, request.scope["path"])


def _refuse(error: TondoError, scope: dict[str, Any]) -> Response:
    return error_response(error, scope["path"])


async def _no_such_page(request: Request, _: HTTPException) -> Response:
    path = request.scope["path"]
    return error_response(rows.unreachable(f"there is nothing at {path}"), path)


async def _no_such_method(request: Request, error: HTTPException) -> Response:
    path = request.scope["path"]
    refused = CallerError(
        "TD-WEB-005",
        f"{path} does not answer {request.method}",
        expected=(error.headers or {}).get("Allow", "another method"),
    )
    return error_response(refused, path)
