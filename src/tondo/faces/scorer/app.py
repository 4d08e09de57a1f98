"""The scorer as a Starlette app: every route, also those that the fast path answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route as UrlRoute

from tondo.core.errors import CallerError, TondoError
from tondo.faces.scorer.doorman import Doorman
from tondo.faces.scorer.protocols import binary, rows, v2
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES, too_large
from tondo.faces.scorer.protocols.carried import Sent, reply_headers
from tondo.faces.scorer.tracing import TraceMiddleware
from tondo.faces.scorer.waiting import answer
from tondo.faces.web.guard import GuardMiddleware
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from tondo.faces.scorer.service import Service
    from tondo.faces.web.guard import Guard

_CARRIED = frozenset({binary.HEADER, "x-request-id"})
"""Headers that the JSON shapes read."""

_encode = msgspec.json.Encoder().encode


def make_app(service: Service, guard: Guard) -> Starlette:
    """Return the app over a service."""
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
            UrlRoute("/v2/models/{name}/infer", pages.score, methods=post),
            UrlRoute("/v2/models/{name}/versions/{version}/infer", pages.score, methods=post),
            UrlRoute("/v1/deployments/{name}/score", pages.score, methods=post),
            UrlRoute("/v1/deployments/{name}/versions/{version}/score", pages.score, methods=post),
            UrlRoute("/v1/status", pages.status, methods=get),
            UrlRoute("/v1/log/roll", pages.roll, methods=post),
            UrlRoute("/metrics", pages.metrics, methods=get),
        ],
        middleware=[
            Middleware(TraceMiddleware),
            Middleware(GuardMiddleware, guard=guard, refuse=_refuse),
            Middleware(Doorman, service=service, refuse=_answer_error),
        ],
        exception_handlers={TondoError: _coded, 404: _no_such_page, 405: _no_such_method},  # type: ignore[dict-item]
    )


class _Pages:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def server(self, _: Request) -> Response:
        return _json(v2.SERVER)

    async def live(self, _: Request) -> Response:
        return _json({"live": True})

    async def ready(self, _: Request) -> Response:
        ready = self._service.ready
        return _json({"ready": ready}, 200 if ready else 503)

    async def model(self, request: Request) -> Response:
        name, version = _name(request), request.path_params.get("version")
        table = self._service.require_table()
        path = table.path_of(name, version)
        serving = next(iter(path.servings.values()))
        versions = (
            table.version_numbers(name) if version is None else [str(serving.variant.version)]
        )
        return _json(v2.metadata(path, serving, versions))

    async def model_ready(self, request: Request) -> Response:
        table = self._service.require_table()
        table.path_of(_name(request), request.path_params.get("version"))
        return _json({"ready": True})

    async def score(self, request: Request) -> Response:
        table = self._service.require_table()
        name, version = _name(request), request.path_params.get("version")
        table.path_of(name, version)
        route = table.routes[request.scope["path"].encode()]
        body = _with_headers(request, await _body(request), _CARRIED)
        status, payload = await answer(self._service, route, body)
        return Response(payload, status, reply_headers(payload))

    async def status(self, _: Request) -> Response:
        return _json(self._service.status())

    async def roll(self, _: Request) -> Response:
        return _json({"segments": self._service.appenders.roll()})

    async def metrics(self, _: Request) -> Response:
        text = self._service.metrics.text(self._service.gauges())
        return Response(text, media_type="text/plain; version=0.0.4")


def _with_headers(request: Request, body: bytes, names: frozenset[str]) -> bytes:
    """Return a body with those of its headers that a shape reads, plain where there are none."""
    told = {name: value for name, value in request.headers.items() if name in names}
    return Sent.of(body, told) if told else body


def _name(request: Request) -> str:
    return str(request.path_params["name"])


async def _body(request: Request) -> bytes:
    """Read the body up to the limit; the rest is never kept."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY_BYTES:
                raise too_large(size)
            parts.append(part)
    except ClientDisconnect:
        raise rows.unreachable("the caller went away before the body was whole") from None
    return b"".join(parts)


def _json(value: Any, status: int = 200) -> Response:
    return Response(_encode(value), status, media_type="application/json")


def _answer_error(error: TondoError, path: str) -> Response:
    encode: Callable[[Any], bytes] = (
        v2.encode_error if path.startswith("/v2") else rows.encode_error
    )
    status = status_of(error)
    # What is left of an unread body must not be taken for the next request.
    headers = {"connection": "close"} if status == 413 else None
    return Response(encode(error), status, headers, "application/json")


async def _coded(request: Request, error: TondoError) -> Response:
    return _answer_error(error, request.scope["path"])


def _refuse(error: TondoError, scope: dict[str, Any]) -> Response:
    return _answer_error(error, scope["path"])


async def _no_such_page(request: Request, _: HTTPException) -> Response:
    path = request.scope["path"]
    return _answer_error(rows.unreachable(f"there is nothing at {path}"), path)


async def _no_such_method(request: Request, error: HTTPException) -> Response:
    path = request.scope["path"]
    refused = CallerError(
        "TD-WEB-005",
        f"{path} does not answer {request.method}",
        expected=(error.headers or {}).get("Allow", "another method"),
    )
    return _answer_error(refused, path)
