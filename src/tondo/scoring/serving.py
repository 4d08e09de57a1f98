"""A model version ready to answer: its model, what it fetches, what it expects in a row."""

from __future__ import annotations

import struct
from math import isfinite
from typing import TYPE_CHECKING

from tondo.core.errors import DefinitionError, PlatformError, TondoError
from tondo.language.walk import columns_of
from tondo.scoring.answer import AnsweredVariant
from tondo.scoring.inputs import RowInputs
from tondo.scoring.reader import FeatureReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.ports.online import OnlineStore
    from tondo.scoring.model import LoadedModel
    from tondo.scoring.package import PackageContents
    from tondo.scoring.plan import PlannedVariant
    from tondo.scoring.request import Ages, Row, ScoreRequest


def row_types(contents: PackageContents, *, fetched: bool) -> dict[str, str]:
    """Return column to type of a request row.

    When features are not `fetched`, the row must carry their `@view.feature[key]` values.
    """
    types = dict(contents.inputs)
    if not fetched:
        read = {name for node in contents.features.values() for name in columns_of(node)}
        for canonical, view, feature, _ in contents.view_features:
            # What is only a key of another feature is not needed beside that feature.
            if canonical in read:
                types[canonical] = contents.views[view].features[feature]
    return types


class Serving:
    """One variant with its model; `online` is None where rows carry the view features."""

    __slots__ = (
        *("answered", "fetch", "head", "inputs"),
        *("model", "pack", "reads", "threshold", "variant", "vector"),
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
        self.reads = (
            (contents.views, contents.view_features, contents.keys) if online is not None else None
        )
        """What `fetch` fills in: variants in which it is equal may fetch for each other."""
        self.fetch: Callable[[Sequence[list[Row]], int], list[Ages]] | None = None
        """Fills the rows of several requests with the view features as of an instant, and
        returns for each request the age of each view in microseconds; None where the model reads
        no view. An error is of any of the requests."""
        stored = [each for each in contents.view_features if not contents.views[each[1]].asked]
        if online is not None and stored:
            reader = FeatureReader(online, contents.views)
            plan = reader.plan(stored, keys=contents.keys)
            self.fetch = lambda tables, as_of_us: reader.fetch_many(tables, plan, as_of_us)

    def read(self, requests: Sequence[ScoreRequest]) -> None:
        """Fetch for requests, those of one instant together; a failure is a request's `error`."""
        if self.fetch is None:
            return
        groups: dict[int, list[ScoreRequest]] = {}
        for request in requests:
            groups.setdefault(request.as_of_us or 0, []).append(request)
        for as_of_us, together in groups.items():
            _fetch(self.fetch, together, as_of_us)

    def predict(self, requests: Sequence[ScoreRequest]) -> None:
        """Score the vectors of all in one call; where that fails, those of each request alone."""
        try:
            scores = self.score([vector for each in requests for vector in each.vectors])
        except TondoError as error:
            if len(requests) == 1:
                requests[0].error = error
                return
            for request in requests:
                self.predict([request])
            return
        start = 0
        for request in requests:
            stop = start + len(request.vectors)
            request.scores = scores[start:stop]
            start = stop
            if not all(map(isfinite, request.scores)):
                request.error = self._no_number()

    def score(self, vectors: Sequence[bytes]) -> list[float]:
        """Return the scores of packed vectors, of one request or of several.

        Whatever a library raises becomes TD-SCORE-015: so it is logged, and a rollout sees it.
        """
        try:
            return self.model.score_packed_table(vectors)
        except TondoError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of a library: its errors share no base
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> PlatformError:
        """Build the error for a model that raised one."""
        return PlatformError(
            "TD-SCORE-015",
            f"version {self.variant.version} of '{self.variant.model}' failed: {error}",
            expected="a score",
            fix="Roll back; then look at the logged vector of this request.",
            model_version_id=self.variant.model_version_id,
        )

    def _no_number(self) -> PlatformError:
        """Build the error for a score that is not a finite number."""
        return PlatformError(
            "TD-SCORE-013",
            f"version {self.variant.version} of '{self.variant.model}' gave no finite score",
            expected="a finite number",
            fix="Roll back; then look at the logged vector of this request.",
            model_version_id=self.variant.model_version_id,
        )


def _fetch(
    fetch: Callable[[Sequence[list[Row]], int], list[Ages]],
    requests: Sequence[ScoreRequest],
    as_of_us: int,
) -> None:
    """Fetch for requests of one instant; where that fails, for each alone."""
    try:
        found = fetch([request.rows for request in requests], as_of_us)
    except TondoError as error:
        if len(requests) == 1:
            requests[0].error = error
            return
        for request in requests:
            _fetch(fetch, [request], as_of_us)
        return
    for request, ages in zip(requests, found, strict=True):
        request.ages = ages


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
