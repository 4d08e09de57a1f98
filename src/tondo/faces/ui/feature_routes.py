"""The page of features: `/features`, a search by GET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get
from litestar.response import Response  # noqa: TC002 - read by the router

from tondo.core.errors import TondoError
from tondo.faces.ui.columns import column_view
from tondo.faces.ui.pages import error_page, page
from tondo.faces.ui.render import render
from tondo.workspace.data_pages import ColumnRow
from tondo.workspace.feature_pages import Asked, features_page

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from tondo.faces.ui.columns import ColumnView
    from tondo.workspace.facade import Workspace
    from tondo.workspace.feature_pages import FeatureRow

_ON_ERROR: Any = {TondoError: error_page}


def feature_routes() -> list[HTTPRouteHandler]:
    """Return the handlers of the pages of features."""
    return [features]


@get("/features", name="features", exception_handlers=_ON_ERROR)
async def features(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the catalogue, or what of it fits the words, tag, entity and user asked for."""
    sent = request.query_params
    asked = Asked(**{name: str(sent.get(name, "")).strip() for name in Asked.__struct_fields__})
    wanted = str(sent.get("page", ""))
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else 1
    worker = request.app.state.worker
    text = await worker.call(_drawn, workspace=worker.workspace, asked=asked, number=number)
    return page(text)


def _drawn(workspace: Workspace, *, asked: Asked, number: int) -> str:
    found = features_page(workspace, asked, page=number)
    return render(
        "features.html", detail=found, views={each.entry.name: _view(each) for each in found.rows}
    )


def _view(row: FeatureRow) -> ColumnView | None:
    """Return what is drawn of a feature's values, None before they were measured."""
    if row.statistics is None:
        return None
    return column_view(ColumnRow(name=row.entry.name, statistics=row.statistics, must=""))
