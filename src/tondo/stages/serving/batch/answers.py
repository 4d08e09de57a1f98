"""The rows that a batch leaves: one for each row of the table and each version."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tondo.core.errors import CallerError, near
from tondo.core.ids import derived_id
from tondo.stages.data.arrow_types import arrow_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tondo.scoring.model import LoadedModel
    from tondo.scoring.plan import PlannedVariant
    from tondo.stages.serving.batch.scores import Scores

ANSWER_COLUMNS = {
    "batch": "string",
    "row": "id",
    "prediction_id": "string",
    "as_of": "timestamp",
    "score": "double",
    "decision": "bool",
    "error": "string",
    "variant": "string",
    "model": "string",
    "version": "id",
    "model_version_id": "string",
    "tag": "string",
    "run": "string",
}
"""Columns of every answer: `row` counts from 0 within the table, `run` trained the version."""

KEPT_COLUMNS = ("batch", "prediction_id", "model_version_id", "score")
"""What stays whatever columns are asked for: which row, by whom, and the answer."""


class BatchModel(NamedTuple):
    """A version of a batch, loaded."""

    variant: PlannedVariant
    run: str
    model: LoadedModel


class BatchShape(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of a batch's answers have in common, and which columns they have."""

    deployment: str
    batch: str
    as_of_us: int
    joined: dict[str, str]
    """Column of the table that comes along, to its name among the answers."""
    columns: tuple[str, ...] | None = None
    """Columns that are kept of all these; None: all."""

    def answers(
        self, by: BatchModel, rows: pa.Table, scores: Scores, *, first_row: int
    ) -> pa.Table:
        """Return a piece's answers by one version, in the order of its rows."""
        import pyarrow as pa

        count = rows.num_rows
        columns = {
            name: pa.array(values, type=arrow_type(ANSWER_COLUMNS[name]))
            for name, values in self._values(by, scores, first_row, count).items()
        }
        columns |= {name: rows.column(source) for source, name in self.joined.items()}
        kept = columns if self.columns is None else self._kept(columns)
        return pa.table({name: columns[name] for name in kept})

    def _values(
        self, by: BatchModel, scores: Scores, first_row: int, count: int
    ) -> dict[str, object]:
        import numpy as np
        import pyarrow as pa

        variant, threshold = by.variant, by.model.contents.threshold
        failed = np.isnan(scores.values)
        decided = scores.values >= threshold if threshold is not None else failed
        undecided = failed if threshold is not None else np.ones(count, dtype=bool)
        places = np.arange(first_row, first_row + count, dtype=np.int64)
        prefix = derived_id("batch", self.deployment, self.batch, variant.model_version_id)

        def same(value: str | int) -> list[str | int]:
            return [value] * count

        return {
            "batch": same(self.batch),
            "row": places,
            "prediction_id": [f"{prefix}:{place}" for place in places.tolist()],
            "as_of": same(self.as_of_us),
            "score": pa.array(scores.values, mask=failed),
            "decision": pa.array(decided, mask=undecided),
            "error": scores.errors,
            "variant": same(variant.name),
            "model": same(variant.model),
            "version": same(variant.version),
            "model_version_id": same(variant.model_version_id),
            "tag": same(",".join(variant.tags)),
            "run": same(by.run),
        }

    def _kept(self, columns: dict[str, pa.Array]) -> list[str]:
        wanted = {*KEPT_COLUMNS, *(self.columns or ())}
        return [name for name in columns if name in wanted]


def joined_names(
    table: Sequence[str], *, join_input: bool, columns: Sequence[str] | None
) -> dict[str, str]:
    """Return which columns of the table come along, and under which names.

    A name that answers have already gets `input_` in front. TD-SERVING-009 for a column asked
    for that is nowhere.
    """
    named = {name: f"input_{name}" if name in ANSWER_COLUMNS else name for name in table}
    known = [*ANSWER_COLUMNS, *(named.values() if join_input else ())]
    for each in columns or ():
        if each not in known:
            raise CallerError(
                "TD-SERVING-009",
                f"there is no column '{each}' among the answers",
                expected="columns of answers"
                + (" and of the table" if join_input else "; those of the table with --join-input"),
                fix=near(each, known),
                column=each,
            )
    if not join_input:
        return {}
    wanted = set(columns) if columns is not None else set(named.values())
    return {name: out for name, out in named.items() if out in wanted}
