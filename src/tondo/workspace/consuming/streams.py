"""Streams of a workspace: a deployment scores events by the plan that scorers follow."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.scoring.inputs import RowInputs
    from tondo.scoring.plan import ServingPlan
    from tondo.stages.monitoring.streams import StreamTable
    from tondo.stages.serving.answerer import PathAnswerer
    from tondo.stages.serving.answers import Answered, Refused
    from tondo.stages.serving.consumer import Asked, Consumed, Consumer
    from tondo.workspace.bootstrap import Parts


def streamed(parts: Parts, deployment: str, source: str) -> StreamTable:
    """Return what a deployment answered to the events of a source, as a table."""
    from tondo.stages.monitoring.stream_predictions import stream_predictions

    return stream_predictions(
        deployment, source, eventlog=parts.eventlog, ledger=parts.ledger, blobs=parts.blobs
    )


class Planned:
    """Answers as a deployment of the last committed plan; a newer plan is taken at `follow`."""

    def __init__(self, parts: Parts, deployment: str) -> None:
        self._parts = parts
        self._deployment = deployment
        self._number = 0
        self._opened = ExitStack()
        self._answerer: PathAnswerer
        self.follow()

    @property
    def inputs(self) -> RowInputs:
        """The columns that callers may send now."""
        return self._answerer.inputs

    def answer(self, asked: Asked) -> list[Answered | Refused]:
        """Score one request."""
        return self._answerer.answer(asked)

    def follow(self) -> None:
        """Take the last committed plan; TD-WORKSPACE-006 when nothing was deployed."""
        from tondo.workspace.publishing import plan_of

        plan = plan_of(self._parts, self._deployment)
        if plan.number != self._number:
            with ExitStack() as opened:
                self._answerer = self._open(plan, opened)
                self._opened.close()
                self._opened = opened.pop_all()
            self._number = plan.number

    def _open(self, plan: ServingPlan, opened: ExitStack) -> PathAnswerer:
        from tondo.scoring.asked import AskedViews
        from tondo.scoring.plan import deployment_of
        from tondo.scoring.serving import Serving
        from tondo.stages.serving.answerer import PathAnswerer
        from tondo.workspace.consuming.candidates import open_model

        planned = deployment_of(plan, self._deployment)
        servings = []
        for variant in planned.variants:
            model = open_model(self._parts, variant)
            opened.callback(model.close)
            servings.append(Serving(variant, model, online=self._parts.online))
        asked = None
        if plan.services:
            asked = AskedViews(plan.services, self._parts.feature_service)
            opened.callback(asked.close)
        return PathAnswerer(
            planned,
            servings,
            purpose="stream",
            clock=self._parts.clock,
            ids=self._parts.ids,
            asked=asked,
            own_ids=True,
        )

    def close(self) -> None:
        """Free the models."""
        self._opened.close()


class PlannedConsumer:
    """A consumer of events that takes the newest plan before each step."""

    def __init__(self, consumer: Consumer, planned: Planned) -> None:
        self._consumer = consumer
        self._planned = planned

    def step(self, *, most: int | None = None) -> Consumed:
        """Score what came since the last step, at most `most` events, by the newest plan."""
        self._planned.follow()
        return self._consumer.step(most=most)


@contextmanager
def stream_at_work(parts: Parts, deployment: str, source: str) -> Iterator[PlannedConsumer]:
    """Open a stream with the deployment's models and its place among the events.

    TD-SERVING-006 when another process runs it.
    """
    from tondo.stages.serving.answers import answers_of
    from tondo.stages.serving.consumer import Consumer
    from tondo.stages.serving.events import Events
    from tondo.workspace.consuming.alone import alone

    stream = answers_of("stream", deployment, source)
    with alone(parts, stream), closing(Planned(parts, deployment)) as planned:
        events = Events(source, eventlog=parts.eventlog, inputs=lambda: planned.inputs)
        consumer = Consumer(events, [planned], eventlog=parts.eventlog, stream=stream)
        with closing(consumer):
            yield PlannedConsumer(consumer, planned)
