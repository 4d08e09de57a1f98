"""Shadows of a workspace: started, run, compared with production."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.serving.consumer import Consumer
    from tondo.stages.serving.shadow import Shadow, ShadowReport
    from tondo.workspace.bootstrap import Parts


def start(
    parts: Parts, deployment: str, version: str, *, since_us: int | None, by: str, why: str
) -> Shadow:
    """Wish a version to score what a deployment is asked from `since_us` (None: now) on."""
    from tondo.stages.serving.shadow import start_shadow
    from tondo.workspace.consuming.candidates import candidate_of

    chosen, variant = candidate_of(parts, deployment, version)
    return start_shadow(
        deployment,
        variant,
        since_us=parts.clock.now_us() if since_us is None else since_us,
        ledger=parts.ledger,
        by=by or parts.actor,
        why=why or f"trying version {chosen.number}",
    )


def report(parts: Parts, shadow: Shadow) -> ShadowReport:
    """Compare what a shadow answered so far with production, and keep the report."""
    from tondo.stages.serving.answers import answers_of, newest_answers
    from tondo.stages.serving.pairs import read_pairs
    from tondo.stages.serving.shadow import REPORT_ROWS, ShadowReport, keep_report
    from tondo.workspace.consuming.compared import compared

    stream = answers_of("shadow", shadow.deployment, shadow.consumer)
    pairs = read_pairs(newest_answers(parts.eventlog, stream, most_rows=REPORT_ROWS))
    variant = shadow.variant
    found = ShadowReport(
        deployment=shadow.deployment,
        model=variant.model,
        version=variant.version,
        model_version_id=variant.model_version_id,
        shadow=shadow.id,
        since_us=shadow.since_us,
        at_us=parts.clock.now_us(),
        comparison=compared(parts, shadow.deployment, variant.model_version_id, pairs),
    )
    return keep_report(found, ledger=parts.ledger)


@contextmanager
def shadow_at_work(parts: Parts, shadow: Shadow) -> Iterator[Consumer]:
    """Open a shadow with its model and its place in the log; each step scores what is new.

    TD-SERVING-006 when another process runs it.
    """
    from tondo.stages.serving.answers import answers_of
    from tondo.stages.serving.consumer import Consumer
    from tondo.stages.serving.logged import LoggedRequests
    from tondo.workspace.consuming.alone import alone
    from tondo.workspace.consuming.candidates import answerer_of, open_model

    name, variant = shadow.deployment, shadow.variant
    stream = answers_of("shadow", name, shadow.consumer)
    with alone(parts, stream), closing(open_model(parts, variant)) as model:
        source = LoggedRequests(name, eventlog=parts.eventlog, answered_from_us=shadow.since_us)
        answerer = answerer_of(parts, name, variant, model, purpose="shadow")
        consumer = Consumer(source, [answerer], eventlog=parts.eventlog, stream=stream)
        with closing(consumer):
            yield consumer
