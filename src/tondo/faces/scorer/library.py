"""Library mode: a package's model in this process, with the scorer's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.ids import IdSource
from tondo.scoring.path import MAX_ROWS, ScoringPath
from tondo.scoring.plan import PlannedDeployment, PlannedVariant
from tondo.scoring.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tondo.ports.clock import Clock
    from tondo.ports.online import OnlineStore
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents


class LibraryModel:
    """A loaded model that answers like the scorer, bit for bit, and logs nothing."""

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

    def predict(self, row: Mapping[str, Any], *, as_of_us: int | None = None) -> float:
        """Return the score of one row; TD-SCORE-001 to -004 name a wrong field.

        Timestamps may be aware datetimes, RFC 3339 text or microseconds since 1970 UTC.
        """
        read = self._path.inputs.read_mapping(dict(row))
        return self._path.score([read], as_of_us=as_of_us).predictions[0].score

    def predict_table(
        self, rows: Iterable[Mapping[str, Any]], *, as_of_us: int | None = None
    ) -> list[float]:
        """Return the scores of many rows, each bit-equal to `predict`."""
        read_row = self._path.inputs.read_mapping
        read = [read_row(dict(row), where=f"rows[{at}].") for at, row in enumerate(rows)]
        scores: list[float] = []
        for start in range(0, len(read), MAX_ROWS):
            answer = self._path.score(read[start : start + MAX_ROWS], as_of_us=as_of_us)
            scores.extend(each.score for each in answer.predictions)
        return scores

    def close(self) -> None:
        """Free the model's memory."""
        self._model.close()
