"""Pages as answers over HTTP, and the page that an error is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar.response import Response

from tondo.faces.ui.render import render
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar import Request

    from tondo.core.errors import TondoError
    from tondo.workspace.facade import Workspace


def page(text: str, *, status: int = 200) -> Response[str]:
    """Return HTML that is always asked for again."""
    return Response(
        text,
        status_code=status,
        media_type="text/html",
        headers={"Cache-Control": "no-cache"},
    )


async def shown(
    request: Request[Any, Any, Any], draw: Callable[[Workspace], str], *, status: int = 200
) -> Response[str]:
    """Draw a page on the workspace's thread: a page of many columns takes its time."""
    worker = request.app.state.worker
    return page(await worker.call(draw, workspace=worker.workspace), status=status)


def error_page(_request: Request[Any, Any, Any], error: TondoError) -> Response[str]:
    """Answer an error with a page that says what happened and what to do."""
    return page(render("error.html", error=error), status=status_of(error))
