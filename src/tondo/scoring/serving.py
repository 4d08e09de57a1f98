"""A model version ready to answer: its model, what it fetches, what it expects in a row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError, PlatformError
from tondo.scoring.answer import AnsweredVariant
from tondo.scoring.inputs import RowInputs
from tondo.scoring.reader import FeatureReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.ports.online import OnlineStore
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents
    from tondo.scoring.plan import PlannedVariant


def row_types(contents: PackageContents, *, fetched: bool) -> dict[str, str]:
    """Return column to type of a request row.

    When features are not `fetched`, the row must carry their `@view.feature[key]` values.
    """
    types = dict(contents.inputs)
    if not fetched:
        for canonical, view, feature, _ in contents.view_features:
            types[canonical] = contents.views[view].features[feature]
    return types


class Serving:
    """One variant with its model; `online` is None where rows carry the view features."""

    __slots__ = ("_plan", "_reader", "answered", "inputs", "model", "threshold", "variant")

    def __init__(
        self, variant: PlannedVariant, model: LoadedModel, *, online: OnlineStore | None
    ) -> None:
        contents = model.contents
        self.variant = variant
        self.model = model
        self.threshold = contents.threshold
        self.inputs = RowInputs(row_types(contents, fetched=online is not None))
        self.answered = AnsweredVariant(
            variant=variant.name,
            model=variant.model,
            version=variant.version,
            model_version_id=variant.model_version_id,
            tags=variant.tags,
        )
        self._reader = None
        self._plan = None
        if online is not None and contents.view_features:
            self._reader = FeatureReader(online, contents.views)
            self._plan = self._reader.plan(contents.view_features)

    def fetch(self, rows: list[dict[str, Any]], as_of_us: int) -> dict[str, int | None]:
        """Fill `rows` with the view features; return the age of each view in microseconds."""
        if self._reader is None or self._plan is None:
            return {}
        return self._reader.fetch(rows, self._plan, as_of_us)

    def score(self, vectors: Sequence[Sequence[float]]) -> list[float]:
        """Return the scores of vectors; TD-SCORE-013 when one is not a number."""
        scores = self.model.score_vectors(vectors)
        if not all(map(math.isfinite, scores)):
            raise PlatformError(
                "TD-SCORE-013",
                f"version {self.variant.version} of '{self.variant.model}' gave no finite score",
                expected="a finite number",
                fix="Roll back; then look at the logged vector of this request.",
                model_version_id=self.variant.model_version_id,
            )
        return scores


def shared_inputs(servings: Sequence[Serving], deployment: str) -> RowInputs:
    """Return the columns that a deployment's callers may send.

    A column that only some variants read is optional; the variant that answers asks for it.
    Two variants that declare one column with two types are refused: TD-SCORE-014.
    """
    types: dict[str, str] = {}
    for serving in servings:
        for name, type_ in serving.inputs.types.items():
            if types.setdefault(name, type_) != type_:
                raise DefinitionError(
                    "TD-SCORE-014",
                    f"the variants of '{deployment}' declare column '{name}' as "
                    f"{types[name]} and as {type_}",
                    expected="one type in all variants that answer under one name",
                    fix="Deploy the new version under another name, or train it on the old type.",
                    deployment=deployment,
                    column=name,
                )
    optional = {name for name in types if not all(name in each.inputs.types for each in servings)}
    return RowInputs(types, optional=optional)
