"""Raw logs older than `log_days`: what was imported or compared goes, all else stays.

Predictions, outcomes and a stream's answers are imported as Parquet blobs, which nothing here
removes. A shadow's and a replay's answers are compared in a report, a batch's lie in its dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.deployment.deploy import deployments
from tondo.stages.deployment.rollout_records import running_rollout
from tondo.stages.serving import replay, shadow, stream
from tondo.stages.serving.answers import answers_of, last_position
from tondo.stages.serving.pruning import Pruned, answer_facts, prune
from tondo.workspace.consuming.batches import batch_runs
from tondo.workspace.consuming.streams import streamed
from tondo.workspace.present import present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tondo.ports.eventlog import Position
    from tondo.stages.monitoring.streams import StreamTable
    from tondo.stages.serving.shadow import Shadow
    from tondo.workspace.bootstrap import Parts

_DAY_US = 86_400_000_000


def prune_logs(parts: Parts, *, dry_run: bool) -> list[Pruned]:
    """Remove raw segments that are older than `log_days` and that nobody needs; say of which.

    Days count back from the project's own time. What is imported now goes at the next pruning.
    """
    days = parts.settings.log_days
    if days <= 0:
        return []
    names = [each.name for each in deployments(ledger=parts.ledger)]
    pruning = _Pruning(parts, present(parts, names).now_us - days * _DAY_US, dry_run=dry_run)
    found = [each for name in names for each in pruning.of(name)]
    return [each for each in found if each.segments or each.kept]


class _Pruning:
    def __init__(self, parts: Parts, before_us: int, *, dry_run: bool) -> None:
        self._parts = parts
        self._before_us = before_us
        self._dry_run = dry_run

    def of(self, deployment: str) -> Iterator[Pruned]:
        """Prune every log of a deployment."""
        yield self._predictions(deployment)
        yield self._outcomes(deployment)
        ledger = self._parts.ledger
        for wished in shadow.shadows(ledger=ledger, deployment=deployment):
            yield self._shadow(wished)
        for report in replay.reports(deployment, ledger=ledger):
            if report.at_us < self._before_us:
                yield self._prune(answers_of("replay", deployment, report.id), lambda _: True)
        for scored in stream.streams(ledger=ledger):
            if scored.deployment == deployment:
                yield self._stream(deployment, scored.source)
        for dataset in {each.dataset for each in batch_runs(self._parts, deployment)}:
            yield self._answers(answers_of("batch", deployment, dataset), self._before_us)

    def _predictions(self, deployment: str) -> Pruned:
        running = shadow.shadows(ledger=self._parts.ledger, deployment=deployment)
        readers = [
            last_position(self._parts.eventlog, answers_of("shadow", deployment, each.consumer))
            for each in running
            if each.running
        ]
        rollout = running_rollout(deployment, ledger=self._parts.ledger)
        if rollout is not None:
            readers.append(rollout.log.predictions)
        return self._imported(self._parts.predictions(deployment), "at", readers)

    def _outcomes(self, deployment: str) -> Pruned:
        rollout = running_rollout(deployment, ledger=self._parts.ledger)
        readers = [] if rollout is None else [rollout.log.outcomes]
        return self._imported(self._parts.outcomes(deployment), "recorded_at", readers)

    def _shadow(self, of: Shadow) -> Pruned:
        name = answers_of("shadow", of.deployment, of.consumer)
        version_id = of.variant.model_version_id
        report = shadow.last_report(of.deployment, version_id, ledger=self._parts.ledger)
        compared_us = 0 if report is None else report.at_us
        return self._answers(name, min(self._before_us, compared_us))

    def _answers(self, name: str, before_us: int) -> Pruned:
        def may_go(segment: str) -> bool:
            newest_us = answer_facts(self._parts.eventlog, name, segment).newest_us
            return newest_us is not None and newest_us < before_us

        return self._prune(name, may_go, holds_place=True)

    def _stream(self, deployment: str, source: str) -> Pruned:
        table = streamed(self._parts, deployment, source)

        def is_whole(segment: str) -> bool:
            # Nothing imports dead letters.
            return not answer_facts(self._parts.eventlog, table.stream, segment).dead_letters

        return self._imported(table, "at", [], is_whole=is_whole, holds_place=True)

    def _imported(
        self,
        table: StreamTable,
        written: str,
        readers: Sequence[Position | None],
        *,
        is_whole: Callable[[str], bool] = lambda _: True,
        holds_place: bool = False,
    ) -> Pruned:
        """Prune a log by its column `written`, where all of it is imported and read."""
        eventlog, imported = self._parts.eventlog, dict(table.compacted())

        def may_go(segment: str) -> bool:
            kept = imported.get(segment)
            if kept is None or not self._parts.blobs.has(kept.blob):
                return False
            newest_us = table.newest_us(segment, written)
            return (
                newest_us is not None
                and newest_us < self._before_us
                and all(eventlog.has_read(table.stream, each, segment) for each in readers)
                and is_whole(segment)
            )

        pruned = self._prune(table.stream, may_go, holds_place=holds_place)
        if not self._dry_run:
            table.compact()
        return pruned

    def _prune(
        self, name: str, may_go: Callable[[str], bool], *, holds_place: bool = False
    ) -> Pruned:
        return prune(
            name,
            eventlog=self._parts.eventlog,
            may_go=may_go,
            holds_place=holds_place,
            dry_run=self._dry_run,
        )
