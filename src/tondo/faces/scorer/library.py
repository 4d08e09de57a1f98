"""Library mode: a package's model in this process, with the scorer's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tondo.core.ids import IdSource
from tondo.scoring.columns import (
    columns_of_frame,
    columns_of_mapping,
    is_frame,
    is_table,
    plain_value,
    rows_of,
)
from tondo.scoring.path import MAX_ROWS, ScoringPath
from tondo.scoring.plan import PlannedDeployment, PlannedVariant
from tondo.scoring.serving import Serving

if TYPE_CHECKING:
    from tondo.ports.clock import Clock
    from tondo.ports.online import OnlineStore
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents


class LibraryModel:
    """A loaded model that answers like the scorer, bit for bit, and logs nothing.

    It is for one thread at a time; another thread loads its own.
    """

    def __init__(
        self, model: LoadedModel, *, clock: Clock, online: OnlineStore | None = None
    ) -> None:
        self._model = model
        variant = PlannedVariant(
            name="library",
            weight=1.0,
            model=model.contents.name,
            version=0,
            model_version_id="",
            package="",
        )
        deployment = PlannedDeployment(
            name=model.contents.name, variants=[variant], as_of="caller", log_mode="off"
        )
        self._serving = Serving(variant, model, online=online)
        self._path = ScoringPath(
            deployment,
            [self._serving],
            inputs=self._serving.inputs,
            clock=clock,
            ids=IdSource(),
        )

    def __repr__(self) -> str:
        """Say which model and what it wants."""
        contents = self._model.contents
        return f"<model '{contents.name}' ({contents.algorithm}), inputs: {', '.join(self.inputs)}>"

    @property
    def inputs(self) -> dict[str, str]:
        """Column to column type of a row."""
        return dict(self._serving.inputs.types)

    @property
    def contents(self) -> PackageContents:
        """Everything the package says."""
        return self._model.contents

    def predict(self, data: Any, *, as_of_us: int | None = None) -> Any:
        """Return the score of a row, or a list of scores, one for each row of a table.

        A row is a mapping of column to value. A table is a list of rows, a mapping of columns
        (lists or NumPy arrays), or what lends itself by Arrow: a table of pyarrow, pandas, polars,
        DuckDB. In a table NaN is null and columns that the model does not read are passed over; a
        row may hold inputs only. Timestamps may be aware datetimes, RFC 3339 text or microseconds
        since 1970 UTC; those of a table that have no zone are UTC.

        TD-SCORE-001 to -004 name a wrong field, -012 a missing view feature, -040 what is no
        table, -041 a column of a type that no input has.
        """
        inputs = self._path.inputs
        if isinstance(data, Mapping) and not is_table(data, inputs.types):
            return self._scores([self._row_of(data, "")], as_of_us)[0]
        return self._scores(self._rows_of(data), as_of_us)

    def _rows_of(self, data: Any) -> list[dict[str, Any]]:
        inputs = self._path.inputs
        if isinstance(data, Mapping):
            return inputs.read_columns(columns_of_mapping(data, inputs.types))
        if is_frame(data):
            return inputs.read_columns(columns_of_frame(data, inputs.types))
        return [self._row_of(row, f"rows[{place}].") for place, row in enumerate(rows_of(data))]

    def _row_of(self, row: Any, where: str) -> dict[str, Any]:
        inputs = self._path.inputs
        own = inputs.read_own(row)
        return inputs.read_mapping(_plain_row(row), where=where) if own is None else own

    def _scores(self, rows: list[dict[str, Any]], as_of_us: int | None) -> list[float]:
        scores: list[float] = []
        for start in range(0, len(rows), MAX_ROWS):
            answer = self._path.score(rows[start : start + MAX_ROWS], as_of_us=as_of_us)
            scores.extend(each.score for each in answer.predictions)
        return scores

    def close(self) -> None:
        """Free the model's memory."""
        self._model.close()


def _plain_row(row: Any) -> Any:
    """Return a row's values without their libraries' wrapping; what is no mapping as it is."""
    if not isinstance(row, Mapping):
        return row
    return {name: plain_value(each) for name, each in row.items()}
