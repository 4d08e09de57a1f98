"""Verbs on streams: events that a deployment scores as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.serving.answers import AnswerFrame
    from tondo.stages.serving.consumer import Consumed
    from tondo.stages.serving.stream import DeadLetter, Stream, StreamAnswer
    from tondo.workspace.bootstrap import Parts


class StreamVerbs:
    """What a workspace does with streams."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def push(self, source: str, events: list[dict[str, Any]]) -> list[str]:
        """Keep events of a stream durably, all or none; return the ids of their predictions.

        An event is `{"row": {...}, "id"?, "as_of"?}`. Errors: TD-SERVING-007 names the place of
        one that is none.
        """
        import os
        import secrets

        from tondo.stages.serving.events import push_events

        now_us = self._parts.clock.now_us()
        return push_events(
            source,
            events,
            eventlog=self._parts.eventlog,
            writer=f"push-{os.getpid()}-{secrets.token_hex(4)}",
            make_id=lambda: self._parts.ids.make(now_us),
        )

    def run(self, deployment: str, *, source: str) -> Consumed:
        """Score at once, in this process, the events that are there and not scored yet.

        Errors: TD-PLAN-004, TD-WORKSPACE-006 (nothing deployed), TD-SERVING-006 (another process
        is at it).
        """
        from tondo.stages.serving.stream import know_stream
        from tondo.workspace.consuming.streams import stream_at_work

        with stream_at_work(self._parts, deployment, source) as consumer:
            know_stream(deployment, source, ledger=self._parts.ledger, by=self._parts.actor)
            return consumer.step()

    def start(self, deployment: str, *, source: str, by: str = "", why: str = "") -> Stream:
        """Let a deployment score a stream's events as they come, while `tondo serve` runs."""
        return self._wish(deployment, source, running=True, by=by, why=why or "started by hand")

    def stop(self, deployment: str, *, source: str, by: str = "", why: str = "") -> Stream:
        """Let a deployment score a stream's events no longer."""
        return self._wish(deployment, source, running=False, by=by, why=why or "stopped by hand")

    def streams(self) -> list[Stream]:
        """List the streams that were started, with whether they run."""
        from tondo.stages.serving.stream import streams

        return streams(ledger=self._parts.ledger)

    def answers(
        self, deployment: str, *, source: str, limit: int | None = None
    ) -> list[StreamAnswer]:
        """Return the predictions of a stream's events, the last `limit` of them."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.monitoring.stream_predictions import stream_answers
        from tondo.workspace.consuming.streams import streamed

        get_deployment(deployment, ledger=self._parts.ledger)
        found = stream_answers(streamed(self._parts, deployment, source).read())
        return found if limit is None else found[-limit:]

    def dead_letters(
        self, deployment: str, *, source: str, limit: int | None = None
    ) -> list[DeadLetter]:
        """Return the events that could not be scored, each with its code, the last `limit`."""
        from tondo.stages.serving.stream import dead_letters

        found = dead_letters(self._frames(deployment, source))
        return found if limit is None else found[-limit:]

    def _frames(self, deployment: str, source: str) -> Iterator[AnswerFrame]:
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.serving.answers import answers_of, read_answers

        get_deployment(deployment, ledger=self._parts.ledger)
        return read_answers(self._parts.eventlog, answers_of("stream", deployment, source))

    def _wish(self, deployment: str, source: str, *, running: bool, by: str, why: str) -> Stream:
        from tondo.core.names import check_name
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.stages.serving.stream import wish_stream

        get_deployment(deployment, ledger=self._parts.ledger)
        return wish_stream(
            deployment,
            check_name(source, "stream"),
            running=running,
            ledger=self._parts.ledger,
            by=by or self._parts.actor,
            why=why,
        )
