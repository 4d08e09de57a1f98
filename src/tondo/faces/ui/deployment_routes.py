"""The pages of deployments: `/deployments` and what lies below it, and the stream of rates."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.response import Redirect, Response, Stream

from tondo.core.errors import CallerError, TondoError, near
from tondo.faces.ui.broadcast import Broadcast
from tondo.faces.ui.conditions import condition_views, step_views
from tondo.faces.ui.forms import read_form
from tondo.faces.ui.pages import error_page, shown
from tondo.faces.ui.render import render
from tondo.faces.ui.traffic import read_weights, share_parts
from tondo.faces.ui.try_form import effect_bars, fields, row_of
from tondo.faces.web.status import status_of
from tondo.workspace.live.conditions import standing
from tondo.workspace.live.deployments import deployment_rows

if TYPE_CHECKING:
    from litestar.handlers import HTTPRouteHandler

    from tondo.workspace.facade import Workspace
    from tondo.workspace.live.asking import TryAnswer
    from tondo.workspace.live.values import LiveView

    Asked = Request[Any, Any, Any]

_ON_ERROR: Any = {TondoError: error_page}

STEERS = ("pause", "resume", "promote", "abort")
"""What a button of the page does to a rollout: the operations of the same names."""


def deployment_routes() -> list[HTTPRouteHandler]:
    """Return the handlers of the pages of deployments."""
    return [
        deployments,
        deployment,
        share_traffic,
        start_rollout,
        steer_rollout,
        roll_back,
        try_page,
        try_row,
        rates,
    ]


@get("/deployments", name="deployments", exception_handlers=_ON_ERROR)
async def deployments(request: Request[Any, Any, Any]) -> Response[str]:
    """List the deployments."""
    return await shown(request, _deployments)


def _deployments(workspace: Workspace) -> str:
    rows = deployment_rows(workspace.parts)
    return render(
        "deployments.html",
        rows=rows,
        parts={each.name: share_parts(each.variants) for each in rows},
        project=workspace.parts.project.name,
    )


@get("/deployments/{deployment:str}", name="deployment", exception_handlers=_ON_ERROR)
async def deployment(request: Request[Any, Any, Any]) -> Response[str]:
    """Show who answers, what is tried, what runs now and what happened."""
    seen = _broadcast(request).latest
    return await shown(request, partial(_deployment, name=_name(request), seen=seen))


def _deployment(
    workspace: Workspace,
    *,
    name: str,
    seen: LiveView | None = None,
    error: TondoError | None = None,
    about: str = "",
    typed: dict[str, str] | None = None,
) -> str:
    found = workspace.live.deployment(name)
    return render(
        "deployment.html",
        detail=found,
        row=found.deployment,
        parts=share_parts(found.deployment.variants),
        steps=[] if found.last is None else step_views(found.last),
        reason=standing(found.status),
        conditions=condition_views(found.status.conditions),
        scorers=workspace.live.scorers() if seen is None else seen.scorers,
        error=error,
        about=about,
        typed=typed or {},
        tab="traffic",
    )


@post("/deployments/{deployment:str}/traffic", name="share_traffic", exception_handlers=_ON_ERROR)
async def share_traffic(request: Request[Any, Any, Any]) -> Response[Any]:
    """Share the traffic as the form says; what is refused is shown again beside the error."""
    sent = await read_form(request)

    def share(workspace: Workspace) -> None:
        workspace.deployment.traffic(_name(request), read_weights(sent), why=_why(sent))

    return await _done(request, share, sent, about="traffic")


@post("/deployments/{deployment:str}/rollouts", name="start_rollout", exception_handlers=_ON_ERROR)
async def start_rollout(request: Request[Any, Any, Any]) -> Response[Any]:
    """Start a rollout of the version that the form names."""
    sent = await read_form(request)

    def start(workspace: Workspace) -> None:
        workspace.rollouts.start(
            _name(request),
            sent.get("version", ""),
            pace=sent.get("pace") or None,
            no_shadow=bool(sent.get("no-shadow")),
            why=_why(sent),
        )

    return await _done(request, start, sent, about="rollout")


@post(
    "/deployments/{deployment:str}/rollout/{steer:str}",
    name="steer_rollout",
    exception_handlers=_ON_ERROR,
)
async def steer_rollout(request: Request[Any, Any, Any]) -> Response[Any]:
    """Pause, resume, promote or abort the rollout under way."""
    sent = await read_form(request)
    wanted = str(request.path_params["steer"])
    if wanted not in STEERS:
        raise CallerError(
            "TD-WEB-004", f"nothing steers a rollout by '{wanted}'", fix=near(wanted, STEERS)
        )

    def steer(workspace: Workspace) -> None:
        getattr(workspace.rollouts, wanted)(_name(request), why=_why(sent))

    return await _done(request, steer, sent, about="rollout")


@post("/deployments/{deployment:str}/rollback", name="roll_back", exception_handlers=_ON_ERROR)
async def roll_back(request: Request[Any, Any, Any]) -> Response[Any]:
    """Go back to what answered before."""
    sent = await read_form(request)

    def back(workspace: Workspace) -> None:
        workspace.deployment.rollback(_name(request), why=_why(sent))

    return await _done(request, back, sent, about="traffic")


@get("/deployments/{deployment:str}/try", name="try_page", exception_handlers=_ON_ERROR)
async def try_page(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the form that tries a row, filled with one of the training."""
    return await shown(request, partial(_try, name=_name(request)))


@post("/deployments/{deployment:str}/try", name="try_row", exception_handlers=_ON_ERROR)
async def try_row(request: Request[Any, Any, Any]) -> Response[str]:
    """Send the row through a scorer and show the answer; a refusal is shown beside its field."""
    sent, name = await read_form(request), _name(request)

    def answered(workspace: Workspace) -> TryAnswer:
        form = workspace.live.try_form(name)
        as_of = sent.get("as-of", "").strip() or None
        return workspace.live.try_row(name, row_of(form, sent), as_of=as_of)

    worker = request.app.state.worker
    try:
        answer = await worker.call(answered, workspace=worker.workspace)
    except TondoError as error:
        again = partial(_try, name=name, typed=sent, error=error)
        return await shown(request, again, status=status_of(error))
    return await shown(request, partial(_try, name=name, typed=sent, answer=answer))


def _try(
    workspace: Workspace,
    *,
    name: str,
    typed: dict[str, str] | None = None,
    answer: TryAnswer | None = None,
    error: TondoError | None = None,
) -> str:
    form = workspace.live.try_form(name)
    explained = None if answer is None else answer.explanation
    return render(
        "try.html",
        row=next(each for each in deployment_rows(workspace.parts) if each.name == name),
        form=form,
        fields=fields(form, typed, error),
        as_of=form.as_of if typed is None else typed.get("as-of", ""),
        answer=answer,
        bars=[] if explained is None else effect_bars(explained),
        error=error,
        tab="try",
    )


@get("/streams/rates", name="rates_stream", exception_handlers=_ON_ERROR, uncompressed=True)
async def rates(request: Request[Any, Any, Any]) -> Stream:
    """Stream one look a second at the scorers, as server-sent events."""
    wanted = str(request.query_params.get("deployment", ""))
    return Stream(
        _broadcast(request).events(wanted),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


def _broadcast(request: Asked) -> Broadcast:
    """Return the app's one broadcast, made with the first page that shows what runs."""
    state = request.app.state
    if "broadcast" not in state:
        state.broadcast = Broadcast(state.worker.workspace.live.feed)
        state.endings.append(state.broadcast.end)
    found: Broadcast = state.broadcast
    return found


async def _done(request: Asked, change: Any, sent: dict[str, str], *, about: str) -> Response[Any]:
    """Do what a form asks and show the page again; a refusal stands beside what was typed."""
    worker, name = request.app.state.worker, _name(request)
    try:
        await worker.call(change, workspace=worker.workspace)
    except TondoError as error:
        again = partial(_deployment, name=name, error=error, about=about, typed=sent)
        return await shown(request, again, status=status_of(error))
    return Redirect(f"/deployments/{quote(name, safe='')}#{about}", status_code=303)


def _name(request: Asked) -> str:
    return str(request.path_params["deployment"])


def _why(sent: dict[str, str]) -> str:
    return sent.get("why", "").strip()
