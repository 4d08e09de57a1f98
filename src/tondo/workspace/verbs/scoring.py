"""Verbs on batches of answers: tables scored by every version of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.consuming.batches import BatchRun


class ScoringVerbs:
    """What a workspace does with tables that are to be scored."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(  # noqa: PLR0913  (what, as of when, where to and in which shape: all may be chosen)
        self,
        deployment: str,
        *,
        dataset: str | None = None,
        file: str | None = None,
        batch: str | None = None,
        as_of: str | None = None,
        out: str | None = None,
        join_input: bool = False,
        columns: list[str] | None = None,
        sql: str | None = None,
        log: bool = False,
        engine: str = "duckdb",
        by: str = "",
        why: str = "",
    ) -> BatchRun:
        """Score a table by every variant; the answers replace those of its last run.

        The table is a `dataset` by reference, or a `file`; `batch` names its answers, by default
        the dataset or the file. Views are joined as of `as_of`, by default now. The answers are a
        dataset, `out` or DEPLOYMENT_scored; besides, rows of a database where `sql` (URL#TABLE)
        names one, and with `log` frames of the event log.

        Errors: TD-PLAN-004, TD-SERVING-009 to -014, TD-DATA-006 (a column is not there).
        """
        from tondo.core.instants import parse_instant
        from tondo.workspace.consuming.batches import BatchRequest, run_batch

        request = BatchRequest(
            deployment=deployment,
            dataset=dataset,
            file=file,
            batch=batch,
            as_of_us=self._parts.clock.now_us() if as_of is None else parse_instant(as_of),
            out=out,
            join_input=join_input,
            columns=None if columns is None else tuple(columns),
            sql=sql,
            log=log,
        )
        return run_batch(
            self._parts,
            request,
            engine=self._parts.joiner(engine),
            by=by or self._parts.actor,
            why=why or "scored a batch",
        )

    def runs(self, deployment: str) -> list[BatchRun]:
        """Return the runs of a deployment's batches, the newest first."""
        from tondo.stages.deployment.deploy import get_deployment
        from tondo.workspace.consuming.batches import batch_runs

        get_deployment(deployment, ledger=self._parts.ledger)
        return batch_runs(self._parts, deployment)
