"""The pages of datasets: `/data` and what lies below it. Reading is GET; forms are POST."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from litestar import Request, get, post
from litestar.response import Redirect, Response

from tondo.core.errors import TondoError
from tondo.faces.ui.charts.columns import strip
from tondo.faces.ui.columns import column_view, moved_view
from tondo.faces.ui.forms import read_form
from tondo.faces.ui.pages import error_page, shown
from tondo.faces.ui.render import data_address, render
from tondo.faces.web.status import status_of
from tondo.workspace import data_pages, data_upkeep, label_pages

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from tondo.workspace.facade import Workspace

    Asked = Request[Any, Any, Any]

_ON_ERROR: Any = {TondoError: error_page}


def data_routes() -> list[HTTPRouteHandler]:
    """Return the handlers of the pages of datasets."""
    return [
        datasets,
        dataset,
        compare,
        anomalies,
        look_again,
        accept,
        assign,
        dismiss,
        schema,
        save_schema,
        labels,
    ]


@get("/data", name="datasets", exception_handlers=_ON_ERROR)
async def datasets(request: Request[Any, Any, Any]) -> Response[str]:
    """List the datasets."""
    return await shown(request, _datasets)


def _datasets(workspace: Workspace) -> str:
    rows = data_pages.dataset_rows(workspace)
    strips = {each.name: strip(each.recent_rows) for each in rows}
    project = workspace.parts.project.name
    return render("datasets.html", datasets=rows, strips=strips, project=project)


@get("/data/{dataset:str}", name="dataset", exception_handlers=_ON_ERROR)
async def dataset(request: Request[Any, Any, Any]) -> Response[str]:
    """Show a version of a dataset: its facts and its columns."""
    asked = {"version": _query(request, "version"), **_part(request)}
    return await shown(request, partial(_dataset, name=_dataset_of(request), **asked))


def _dataset(workspace: Workspace, *, name: str, version: str, search: str, page: int) -> str:
    found = data_pages.dataset_page(workspace, name, version=version, search=search, page=page)
    return render(
        "dataset.html",
        detail=found,
        version=found.version,
        columns=[column_view(each) for each in found.columns],
        kept={"version": version},
    )


@get("/data/{dataset:str}/compare", name="compare", exception_handlers=_ON_ERROR)
async def compare(request: Request[Any, Any, Any]) -> Response[str]:
    """Show two versions of a dataset over each other."""
    asked = {name: _query(request, name) for name in ("before", "after")} | _part(request)
    return await shown(request, partial(_compare, name=_dataset_of(request), **asked))


def _compare(
    workspace: Workspace, *, name: str, before: str, after: str, search: str, page: int
) -> str:
    found = data_pages.compare_page(
        workspace, name, before=before, after=after, search=search, page=page
    )
    return render(
        "compare.html",
        detail=found,
        version=found.after,
        columns=[moved_view(each) for each in found.moved],
        kept={"before": found.before.reference, "after": found.after.reference},
    )


@get("/data/{dataset:str}/anomalies", name="anomalies", exception_handlers=_ON_ERROR)
async def anomalies(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the tracked anomalies of a dataset."""
    rows_of = _query(request, "rows")
    return await shown(request, partial(_anomalies, name=_dataset_of(request), rows_of=rows_of))


def _anomalies(workspace: Workspace, *, name: str, rows_of: str) -> str:
    found = data_upkeep.anomalies_page(workspace, name, rows_of=rows_of)
    return render("anomalies.html", detail=found, version=found.version)


@post("/data/{dataset:str}/anomalies", name="look_again", exception_handlers=_ON_ERROR)
async def look_again(request: Request[Any, Any, Any]) -> Redirect:
    """Check the newest version against the schema, and show the anomalies again."""
    await read_form(request)
    worker = request.app.state.worker
    await worker.call(worker.workspace.data.check, ref=_dataset_of(request))
    return _back(request, "anomalies", anchor="anomalies")


@post(
    "/data/{dataset:str}/anomalies/{anomaly:str}/accept",
    name="accept",
    exception_handlers=_ON_ERROR,
)
async def accept(request: Request[Any, Any, Any]) -> Redirect:
    """Accept the patch of an anomaly, and show the anomalies again."""
    sent = await read_form(request)
    worker, wanted = request.app.state.worker, str(request.path_params["anomaly"])
    why = sent.get("why", "").strip()
    await worker.call(
        data_upkeep.accept_patch, workspace=worker.workspace, anomaly_id=wanted, why=why
    )
    return _back(request, "anomalies", anchor=wanted)


@post(
    "/data/{dataset:str}/anomalies/{anomaly:str}/assign",
    name="assign",
    exception_handlers=_ON_ERROR,
)
async def assign(request: Request[Any, Any, Any]) -> Redirect:
    """Say who looks after an anomaly, and show the anomalies again."""
    sent = await read_form(request)
    worker, wanted = request.app.state.worker, str(request.path_params["anomaly"])
    owner = sent.get("owner", "").strip()
    await worker.call(worker.workspace.data.assign_anomaly, anomaly_id=wanted, owner=owner)
    return _back(request, "anomalies", anchor=wanted)


@post(
    "/data/{dataset:str}/anomalies/{anomaly:str}/dismiss",
    name="dismiss",
    exception_handlers=_ON_ERROR,
)
async def dismiss(request: Request[Any, Any, Any]) -> Redirect:
    """Give up the files that were set aside with an anomaly, and show the anomalies again."""
    sent = await read_form(request)
    worker, wanted = request.app.state.worker, str(request.path_params["anomaly"])
    why = sent.get("why", "").strip()
    await worker.call(worker.workspace.batches.dismiss, anomaly_id=wanted, why=why)
    return _back(request, "anomalies", anchor=wanted)


@get("/data/{dataset:str}/schema", name="dataset_schema", exception_handlers=_ON_ERROR)
async def schema(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the schema of a dataset, its versions, and the form that edits it."""
    return await shown(request, partial(_schema, name=_dataset_of(request), **_part(request)))


def _schema(
    workspace: Workspace,
    *,
    name: str,
    search: str = "",
    page: int = 1,
    edit: dict[str, Any] | None = None,
) -> str:
    found = data_upkeep.schema_page(workspace, name, search=search, page=page)
    fresh = {"text": found.text, "base": found.base, "why": "", "error": None}
    return render("schema.html", detail=found, version=found.version, edit=edit or fresh, kept={})


@post("/data/{dataset:str}/schema", name="save_schema", exception_handlers=_ON_ERROR)
async def save_schema(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save an edited schema; one that is refused is shown again with the error beside it."""
    sent = await read_form(request)
    name = _dataset_of(request)
    worker = request.app.state.worker
    typed = {key: sent.get(key, "") for key in ("text", "base", "why")}
    typed["text"] = typed["text"].replace("\r\n", "\n")
    try:
        await worker.call(
            data_upkeep.save_schema_text, workspace=worker.workspace, dataset=name, **typed
        )
    except TondoError as error:
        again = partial(_schema, name=name, edit={**typed, "error": error})
        return await shown(request, again, status=status_of(error))
    return _back(request, "schema", anchor="history")


@get("/data/{dataset:str}/labels", name="dataset_labels", exception_handlers=_ON_ERROR)
async def labels(request: Request[Any, Any, Any]) -> Response[str]:
    """Show what is known of the labels that models learn from a dataset."""
    return await shown(request, partial(_labels, name=_dataset_of(request)))


def _labels(workspace: Workspace, *, name: str) -> str:
    found = label_pages.labels_page(workspace, name)
    return render("labels.html", detail=found, version=found.version)


def _dataset_of(request: Asked) -> str:
    return str(request.path_params["dataset"])


def _query(request: Asked, name: str) -> str:
    return str(request.query_params.get(name, ""))


def _part(request: Asked) -> dict[str, Any]:
    """Return which columns are asked for; what is no number is the first page."""
    wanted = _query(request, "page")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else 1
    return {"search": _query(request, "search").strip(), "page": number}


def _back(request: Asked, below: str, *, anchor: str) -> Redirect:
    """Answer a form with the page it stands on, so that loading that again sends nothing twice."""
    return Redirect(f"{data_address(_dataset_of(request), below)}#{anchor}", status_code=303)
