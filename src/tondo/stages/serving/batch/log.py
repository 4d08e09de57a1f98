"""A batch's answers in the event log besides, for who follows answers rather than datasets.

A frame's position is the commit of the answers and how many of their rows are logged: a run that
was killed goes on there, and a run that left the same commit logs nothing again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.scoring import frames
from tondo.stages.serving.answers import Answered, AnswerFrame, answers_of, encode, last_position
from tondo.stages.serving.consumer import WRITER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from tondo.ports.eventlog import EventLog
    from tondo.scoring.plan import PlannedVariant

FRAME_ROWS = 1_000
"""Rows of one frame, as of the largest request."""


def log_answers(
    answers: Iterable[pa.Table],
    *,
    deployment: str,
    dataset: str,
    commit: str,
    variants: Mapping[str, PlannedVariant],
    as_of_us: int,
    at_us: int,
    eventlog: EventLog,
) -> int:
    """Log the rows of a commit that are not logged yet; return how many.

    `variants` are by model version id; the rows of one table are of one version.
    """
    stream = answers_of("batch", deployment, dataset)
    before = last_position(eventlog, stream)
    logged = before.offset if before is not None and before.segment == commit else 0
    appender = eventlog.appender(stream, WRITER, durability="written")
    place = written = 0
    try:
        for rows in _frames_of(answers):
            place += rows.num_rows
            if place <= logged:
                continue
            request = _request(rows, deployment, variants, as_of_us, at_us)
            ids = [row.prediction_id for row in request.rows]
            answered = Answered(ids, msgspec.Raw(frames.encode(request)))
            appender.append(encode(AnswerFrame(commit, place, [answered], [])))
            written += rows.num_rows
    finally:
        appender.close()
    return written


def _frames_of(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows of each frame, in their order."""
    for table in tables:
        for start in range(0, table.num_rows, FRAME_ROWS):
            yield table.slice(start, FRAME_ROWS)


def _request(
    rows: pa.Table,
    deployment: str,
    variants: Mapping[str, PlannedVariant],
    as_of_us: int,
    at_us: int,
) -> frames.LoggedRequest:
    columns: dict[str, list[Any]] = rows.select(
        ["prediction_id", "score", "model_version_id"]
    ).to_pydict()
    variant = variants[columns["model_version_id"][0]]
    return frames.LoggedRequest(
        request_id=columns["prediction_id"][0],
        at_us=at_us,
        as_of_us=as_of_us,
        deployment=deployment,
        variant=variant.name,
        model=variant.model,
        version=variant.version,
        model_version_id=variant.model_version_id,
        purpose="batch",
        latency_us=0,
        error=None,
        rows=[
            frames.LoggedRow(prediction_id=id_, score=score, vector=b"", inputs={})
            for id_, score in zip(columns["prediction_id"], columns["score"], strict=True)
        ],
    )
