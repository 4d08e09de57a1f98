"""Replays of a workspace: a past window sent to a version, in process or to a staging endpoint."""

from __future__ import annotations

from contextlib import ExitStack
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from tondo.scoring.plan import PlannedVariant
    from tondo.stages.serving.consumer import Answerer
    from tondo.stages.serving.replay import ReplayReport
    from tondo.workspace.bootstrap import Parts


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent, how fast, and over what."""

    deployment: str
    version: str
    start_us: int
    end_us: int
    rate: float | None
    address: str | None
    """Of a scorer; None: in this process."""
    staging: str | None
    """The staging deployment there; None: MODEL_staging."""


class _Sent(NamedTuple):
    """What came of sending a window."""

    requests: int
    seconds: float
    late_us: list[int]


def replay(parts: Parts, request: ReplayRequest) -> ReplayReport:
    """Send the window, compare the answers with production's, and keep the report."""
    from tondo.stages.serving.answers import answers_of, read_answers
    from tondo.stages.serving.pairs import read_pairs
    from tondo.stages.serving.replay import ReplayReport, keep_report, late_of, nothing_asked
    from tondo.workspace.consuming.candidates import candidate_of
    from tondo.workspace.consuming.compared import compared

    chosen, variant = candidate_of(parts, request.deployment, request.version)
    run_id = parts.ledger.new_id()
    stream = answers_of("replay", request.deployment, run_id)
    sent = _send(parts, request, variant, stream)
    if not sent.requests:
        raise nothing_asked(request.deployment, request.start_us, request.end_us)
    pairs = read_pairs(read_answers(parts.eventlog, stream))
    report = ReplayReport(
        id=run_id,
        deployment=request.deployment,
        model=chosen.name,
        version=chosen.number,
        model_version_id=chosen.id,
        start_us=request.start_us,
        end_us=request.end_us,
        over=_over(request, chosen.name),
        rate=request.rate,
        reached=sent.requests / sent.seconds,
        late=late_of(sent.late_us),
        seconds=sent.seconds,
        at_us=parts.clock.now_us(),
        comparison=compared(parts, request.deployment, chosen.id, pairs),
    )
    return keep_report(report, ledger=parts.ledger)


def _send(parts: Parts, request: ReplayRequest, variant: PlannedVariant, stream: str) -> _Sent:
    """Let the version answer the window's requests at their rate; keep the answers."""
    from tondo.stages.serving.consumer import Consumer
    from tondo.stages.serving.logged import LoggedRequests
    from tondo.stages.serving.paced import Paced

    logged = LoggedRequests(
        request.deployment,
        eventlog=parts.eventlog,
        start_us=request.start_us,
        end_us=request.end_us,
    )
    paced = Paced(logged, rate=request.rate)
    with ExitStack() as opened:
        answerer = _answerer(parts, request, variant, opened)
        consumer = Consumer(paced, [answerer], eventlog=parts.eventlog, stream=stream)
        opened.callback(consumer.close)
        started = perf_counter()
        done = consumer.step()
        return _Sent(done.requests, perf_counter() - started, paced.late_us)


def _over(request: ReplayRequest, model: str) -> str:
    if request.address is None:
        return "process"
    return f"{request.address} {_staging(request, model)}"


def _staging(request: ReplayRequest, model: str) -> str:
    return request.staging or f"{model}_staging"


def _answerer(
    parts: Parts, request: ReplayRequest, variant: PlannedVariant, opened: ExitStack
) -> Answerer:
    from tondo.scoring.inputs import RowInputs
    from tondo.stages.serving.endpoint import EndpointAnswerer
    from tondo.workspace.consuming.candidates import answerer_of, open_model, package_of

    if request.address is None:
        model = open_model(parts, variant)
        opened.callback(model.close)
        return answerer_of(parts, request.deployment, variant, model, purpose="replay")
    endpoint = parts.endpoint(request.address)
    opened.callback(endpoint.close)
    return EndpointAnswerer(
        endpoint,
        _staging(request, variant.model),
        RowInputs(package_of(parts, variant.model_version_id).inputs),
        version_id=variant.model_version_id,
        purpose="replay",
    )
