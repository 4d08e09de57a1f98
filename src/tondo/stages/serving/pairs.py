"""Answers of a consumer as a table: each row as production scored it, and as the candidate did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tondo.scoring import frames

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tondo.stages.serving.answers import Answered, AnswerFrame, Before, Refused


class Pairs(NamedTuple):
    """What was scored twice."""

    rows: pa.Table
    """`prediction_id` (production's), `as_of`, `production` and `candidate` scores, null where
    there is none, and `production_version_id`."""
    requests: pa.Table
    """`production_us`, `candidate_us` (null where refused), `production_error`,
    `candidate_error`."""


def read_pairs(answers: Iterable[AnswerFrame]) -> Pairs:
    """Return the pairs of answers that know how production answered; each row once."""
    rows, requests = _Rows(), _Requests()
    seen: set[str] = set()
    for frame in answers:
        for answered in frame.answered:
            if answered.before is not None and answered.source_ids[0] not in seen:
                seen.add(answered.source_ids[0])
                _add_answered(rows, requests, answered, answered.before)
        for refused in frame.refused:
            if refused.before is not None and refused.source_ids[0] not in seen:
                seen.add(refused.source_ids[0])
                _add_refused(rows, requests, refused, refused.before)
    return Pairs(rows.table(), requests.table())


def _add_answered(rows: _Rows, requests: _Requests, answered: Answered, before: Before) -> None:
    logged = frames.decode_unread(answered.request)
    requests.add(before, logged.latency_us, logged.error)
    for source_id, production, row in zip(
        answered.source_ids, before.scores, logged.rows, strict=True
    ):
        rows.add(source_id, logged.as_of_us, production, row.score, before.model_version_id)


def _add_refused(rows: _Rows, requests: _Requests, refused: Refused, before: Before) -> None:
    requests.add(before, None, refused.code)
    for source_id, production in zip(refused.source_ids, before.scores, strict=True):
        rows.add(source_id, None, production, None, before.model_version_id)


class _Rows:
    def __init__(self) -> None:
        self._columns: tuple[list[Any], ...] = ([], [], [], [], [])

    def add(self, *values: Any) -> None:
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)

    def table(self) -> pa.Table:
        import pyarrow as pa

        fields = {
            "prediction_id": pa.string(),
            "as_of": pa.timestamp("us", tz="UTC"),
            "production": pa.float64(),
            "candidate": pa.float64(),
            "production_version_id": pa.string(),
        }
        return _table(fields, self._columns)


class _Requests:
    def __init__(self) -> None:
        self._columns: tuple[list[Any], ...] = ([], [], [], [])

    def add(self, before: Before, latency_us: int | None, error: str | None) -> None:
        facts = (before.latency_us, latency_us, before.error, error)
        for column, value in zip(self._columns, facts, strict=True):
            column.append(value)

    def table(self) -> pa.Table:
        import pyarrow as pa

        fields = {
            "production_us": pa.int64(),
            "candidate_us": pa.int64(),
            "production_error": pa.string(),
            "candidate_error": pa.string(),
        }
        return _table(fields, self._columns)


def _table(fields: dict[str, pa.DataType], columns: Iterable[list[Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            name: pa.array(values, type=kind)
            for (name, kind), values in zip(fields.items(), columns, strict=True)
        }
    )
