"""The addresses of the pages: a data loader and a template each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get
from litestar.response import Response

from tondo.core.errors import NotFoundError, TondoError
from tondo.faces.ui.data_routes import data_routes
from tondo.faces.ui.deployment_routes import deployment_routes
from tondo.faces.ui.feature_routes import feature_routes
from tondo.faces.ui.overview import overview_page
from tondo.faces.ui.pages import error_page, page
from tondo.faces.ui.render import STATIC, render

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def page_routes() -> list[HTTPRouteHandler]:
    """Return the handlers of all pages and of the files that they use."""
    return [overview, prediction, *data_routes(), *feature_routes(), *deployment_routes(), static]


@get("/", name="overview", exception_handlers={TondoError: error_page})
async def overview(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the first page."""
    worker = request.app.state.worker
    found = await worker.call(worker.workspace.flow.overview)
    return page(render("overview.html", **overview_page(found)))


@get(
    "/predictions/{prediction_id:str}",
    name="prediction",
    exception_handlers={TondoError: error_page},
)
async def prediction(request: Request[Any, Any, Any]) -> Response[str]:
    """Show a prediction and the way back to its source rows."""
    worker = request.app.state.worker
    wanted = str(request.path_params["prediction_id"])
    found = await worker.call(worker.workspace.monitoring.prediction, prediction_id=wanted)
    return page(render("prediction.html", detail=found))


@get("/static/{name:str}", name="static")
async def static(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Send one of our own files; its address holds its digest, so it may be kept for good."""
    name = str(request.path_params["name"])
    path = STATIC / name
    if name not in {each.name for each in STATIC.iterdir() if each.is_file()}:
        raise NotFoundError("TD-WEB-004", f"nothing answers at GET /static/{name}")
    return Response(
        path.read_bytes(),
        media_type=_TYPES.get(path.suffix, "application/octet-stream"),
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
