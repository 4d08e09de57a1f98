"""Pages as answers over HTTP, and the page that an error is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar.response import Response

from tondo.faces.ui.render import render
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from litestar import Request

    from tondo.core.errors import TondoError


def page(text: str, *, status: int = 200) -> Response[str]:
    """Return HTML that is always asked for again."""
    return Response(
        text,
        status_code=status,
        media_type="text/html",
        headers={"Cache-Control": "no-cache"},
    )


def error_page(_request: Request[Any, Any, Any], error: TondoError) -> Response[str]:
    """Answer an error with a page that says what happened and what to do."""
    return page(render("error.html", error=error), status=status_of(error))
