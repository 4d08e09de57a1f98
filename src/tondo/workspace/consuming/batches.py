"""Batches of a workspace: a table scored by every version of a deployment, kept as a dataset."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from tondo.core.names import check_name
from tondo.stages.serving.batch.answers import BatchModel, BatchShape, joined_names
from tondo.stages.serving.batch.output import BatchFiles, dataset_of
from tondo.stages.serving.batch.pieces import pieces_of, snapshot_tables
from tondo.stages.serving.batch.scores import no_scores, score_piece
from tondo.workspace.consuming.batch_features import BatchFeatures
from tondo.workspace.consuming.batch_tables import open_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tondo.ports.engine import Joiner
    from tondo.stages.data.commits import Commit
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.consuming.batch_tables import BatchTable

KIND = "batch_run"


class BatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be scored, and where the answers go."""

    deployment: str
    dataset: str | None
    """Reference of the table, or a file in its place."""
    file: str | None
    batch: str | None
    """Name under which the answers are kept; a run with the same name replaces them."""
    as_of_us: int
    out: str | None
    join_input: bool
    columns: tuple[str, ...] | None
    sql: str | None
    """`URL#TABLE` of a database that gets the rows besides."""
    log: bool
    """Whether the event log gets the answers besides."""


class BatchRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a batch."""

    id: str
    deployment: str
    batch: str
    table: str
    """What was scored: the reference with its snapshot, or the file."""
    as_of_us: int
    versions: list[int]
    rows: int
    """Rows of the table."""
    answers: int
    """Rows that were left: one for each row and version."""
    failed: int
    """Answers without a score."""
    dataset: str
    commit: str
    sql: str | None
    logged: int
    """Answers that this run wrote into the event log."""
    at_us: int
    by: str


def run_batch(
    parts: Parts, request: BatchRequest, *, engine: Joiner, by: str, why: str
) -> BatchRun:
    """Score a table by every variant of a deployment; all of it counts at once, or nothing."""
    out = check_name(request.out or dataset_of(request.deployment), "dataset")
    with ExitStack() as opened:
        models = _models(parts, request.deployment, opened)
        features = BatchFeatures(parts, models, as_of_us=request.as_of_us, engine=engine)
        table = open_table(
            parts, dataset=request.dataset, file=request.file, declared=features.inputs
        )
        shape = _shape(request, table)
        files = BatchFiles(shape.batch, blobs=parts.blobs)
        rows, failed = _score(table, models, features, shape, files, engine)
    versions = [("model_version", each.variant.model_version_id, "scored by") for each in models]
    made = files.commit(
        out,
        ledger=parts.ledger,
        parents=[*table.parents, *versions],
        by=by,
        why=why,
    )
    if request.sql is not None:
        _write_sql(parts, files, request.sql, batch=shape.batch, dataset=made.dataset)
    logged = _write_log(parts, files, request, models, made) if request.log else 0
    run = BatchRun(
        id=parts.ledger.new_id(),
        deployment=request.deployment,
        batch=shape.batch,
        table=table.shown,
        as_of_us=request.as_of_us,
        versions=[each.variant.version for each in models],
        rows=rows,
        answers=files.rows,
        failed=failed,
        dataset=made.dataset,
        commit=made.id,
        sql=None if request.sql is None else _sql_table(request.sql, made.dataset),
        logged=logged,
        at_us=parts.clock.now_us(),
        by=by,
    )
    parts.ledger.put(KIND, run.id, run, parents=[("commit", made.id, "answers")])
    return run


def _shape(request: BatchRequest, table: BatchTable) -> BatchShape:
    """Return what the answers have in common, and which columns; TD-SERVING-009 for an unknown."""
    return BatchShape(
        deployment=request.deployment,
        batch=request.batch or table.name,
        as_of_us=request.as_of_us,
        joined=joined_names(
            list(table.columns), join_input=request.join_input, columns=request.columns
        ),
        columns=request.columns,
    )


def batch_runs(parts: Parts, deployment: str) -> list[BatchRun]:
    """Return the runs of a deployment's batches, the newest first."""
    found = parts.ledger.records(KIND, where={"deployment": deployment})
    return [msgspec.convert(each.body, BatchRun) for each in found]


def _score(
    table: BatchTable,
    models: list[BatchModel],
    features: BatchFeatures,
    shape: BatchShape,
    files: BatchFiles,
    engine: Joiner,
) -> tuple[int, int]:
    """Score the table piece by piece into files; return its rows and the answers that failed."""
    needed = [name for name in table.columns if name in {*features.inputs, *shape.joined}]
    rows = failed = 0
    for piece in pieces_of(table.tables(needed)):
        where = f"{table.shown}, from row {rows + 1}"
        for by, read in zip(models, features.of(piece, where=where), strict=True):
            scores = score_piece(by.model, read, engine=engine)
            files.add(shape.answers(by, piece, scores, first_row=rows))
            failed += sum(error is not None for error in scores.errors)
        rows += piece.num_rows
    if not rows:
        # An empty table leaves no rows, and takes away those of its last run.
        files.add(shape.answers(models[0], table.empty(needed), no_scores(), first_row=0))
    return rows, failed


def _models(parts: Parts, deployment: str, opened: ExitStack) -> list[BatchModel]:
    """Return every variant of a deployment, loaded; TD-PLAN-004 when there is none."""
    from tondo.scoring.plan import deployment_of
    from tondo.stages.registry.versions import ModelVersion
    from tondo.workspace.consuming.candidates import open_model
    from tondo.workspace.publishing import plan_of

    found = []
    for variant in deployment_of(plan_of(parts, deployment), deployment).variants:
        version = parts.ledger.read("model_version", variant.model_version_id, ModelVersion)
        model = open_model(parts, variant)
        opened.callback(model.close)
        found.append(BatchModel(variant, version.run, model))
    return found


def _write_sql(parts: Parts, files: BatchFiles, sql: str, *, batch: str, dataset: str) -> int:
    """Put a batch's answers into a table of a database, where those of its last run were."""
    from tondo.ports.tables import TableTarget

    target = TableTarget(url=sql.partition("#")[0], table=_sql_table(sql, dataset), base=parts.root)
    return parts.open_tables().replace(
        target,
        _written(parts, files),
        columns=files.columns,
        where={"batch": batch},
    )


def _write_log(
    parts: Parts,
    files: BatchFiles,
    request: BatchRequest,
    models: list[BatchModel],
    made: Commit,
) -> int:
    """Put a batch's answers into the event log, those that are not there yet."""
    from tondo.stages.serving.answers import answers_of
    from tondo.stages.serving.batch.log import log_answers
    from tondo.workspace.consuming.alone import alone

    with alone(parts, answers_of("batch", request.deployment, made.dataset)):
        return log_answers(
            _written(parts, files),
            deployment=request.deployment,
            dataset=made.dataset,
            commit=made.id,
            variants={each.variant.model_version_id: each.variant for each in models},
            as_of_us=request.as_of_us,
            at_us=parts.clock.now_us(),
            eventlog=parts.eventlog,
        )


def _written(parts: Parts, files: BatchFiles) -> Iterator[pa.Table]:
    paths = [parts.blobs.local_path(each.digest) for each in files.files]
    return snapshot_tables(paths, list(files.columns))


def _sql_table(sql: str, dataset: str) -> str:
    return sql.partition("#")[2] or dataset
