"""A model version ready to answer: its model, what it fetches, what it expects in a row."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tondo.core.errors import DefinitionError, PlatformError
from tondo.scoring.answer import AnsweredVariant
from tondo.scoring.inputs import RowInputs
from tondo.scoring.reader import FeatureReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.ports.online import OnlineStore
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents
    from tondo.scoring.plan import PlannedVariant
    from tondo.scoring.request import Ages, Row


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

    __slots__ = (
        *("answered", "fetch", "head", "inputs"),
        *("model", "pack", "threshold", "variant", "vector"),
    )

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
        self.head = (variant.name, variant.model, variant.version, variant.model_version_id)
        """What a logged frame says of the version, in its order."""
        self.vector = model.vector
        self.pack = struct.Struct(f"<{len(contents.features)}d").pack
        """Feature values to float64 bytes, little-endian."""
        self.fetch: Callable[[list[Row], int], Ages] | None = None
        """Fills rows with the view features as of an instant, and returns the age of each view
        in microseconds; None where the model reads no view."""
        if online is not None and contents.view_features:
            reader = FeatureReader(online, contents.views)
            plan = reader.plan(contents.view_features)
            self.fetch = lambda rows, as_of_us: reader.fetch(rows, plan, as_of_us)

    def score(self, vectors: Sequence[bytes]) -> list[float]:
        """Return the scores of packed vectors; TD-SCORE-013 when one is not a finite number."""
        if len(vectors) == 1:
            scores = [self.model.score_packed(vectors[0])]
        else:
            scores = self.model.score_packed_table(vectors)
        for score in scores:
            if score - score != 0.0:
                raise self._no_number()
        return scores

    def _no_number(self) -> PlatformError:
        return PlatformError(
            "TD-SCORE-013",
            f"version {self.variant.version} of '{self.variant.model}' gave no finite score",
            expected="a finite number",
            fix="Roll back; then look at the logged vector of this request.",
            model_version_id=self.variant.model_version_id,
        )


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
