"""The Litestar app: the table of operations as REST, with pages mounted beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request
from litestar.config.compression import CompressionConfig
from litestar.exceptions import HTTPException

from tondo.core.errors import TondoError
from tondo.faces.api.access import Access
from tondo.faces.api.answers import coded, error_answer
from tondo.faces.api.routes import health_route, operation_routes, schema_route
from tondo.faces.api.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from litestar.response import Response
    from litestar.types import ControllerRouterHandler


def create_app(
    workspace: Any,
    *,
    token: str | None = None,
    allowed_hosts: Sequence[str] = (),
    pages: Sequence[ControllerRouterHandler] = (),
) -> Access:
    """Return the control plane's app over an open workspace.

    `allowed_hosts` are names besides loopback's that a request's Host may have. With a `token`
    every address but `/health` asks for it. `pages` are mounted as they are; they find the
    workspace's thread as `app.state.worker`, and a stream says `uncompressed=True`
    and appends to `app.state.endings` what ends it.
    """
    worker = Worker(workspace)
    app = Litestar(
        [*operation_routes(worker), schema_route(worker), health_route(), *pages],
        exception_handlers={
            TondoError: _on_coded,
            HTTPException: _on_http,
            Exception: _on_unexpected,
        },
        compression_config=CompressionConfig(
            backend="gzip", exclude=["/health"], exclude_opt_key="uncompressed"
        ),
        openapi_config=None,
        on_shutdown=[worker.close],
        logging_config=None,
        debug=False,
    )
    app.state.worker = worker
    endings: list[Callable[[], None]] = []
    app.state.endings = endings
    # Around the whole app, since a middleware of its own would not see addresses without a route.
    return Access(app, token=token, allowed_hosts=allowed_hosts, endings=endings)


def _on_coded(_request: Request[Any, Any, Any], error: TondoError) -> Response[bytes]:
    return error_answer(error)


def _on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    return error_answer(coded(request, error), status=error.status_code)


def _on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return error_answer(coded(request, error))
