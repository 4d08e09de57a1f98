"""A loaded model: the package's trees compiled for rows, in front of its runtime."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import DataError, TondoError, near
from tondo.language.rows import compile_vector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from tondo.ports.runtime import Runtime, RuntimeLoader
    from tondo.scoring.package import PackageContents, Sample

SAMPLE_TOLERANCE = 1e-9
"""Another processor may add in another order; anything larger is another model."""

_SHOWN_SAMPLE = 400
"""Characters of a sample row worth printing in an error."""


class LoadedModel:
    """Turns rows into vectors and vectors into scores.

    A row is a mapping of request columns and `@view.feature[key]` values, timestamps in
    microseconds; a missing feature is NaN in the vector. A packed vector is its float64 values,
    little-endian.
    """

    __slots__ = ("contents", "runtime", "score_packed", "score_vector", "vector")

    def __init__(self, contents: PackageContents, runtime: Runtime) -> None:
        self.contents = contents
        self.runtime = runtime
        self.vector: Callable[[Mapping[str, Any]], list[float]] = compile_vector(contents.features)
        self.score_vector: Callable[[Sequence[float]], float] = runtime.predict_row
        self.score_packed: Callable[[bytes], float] = runtime.predict_packed

    def __repr__(self) -> str:
        """Say which model."""
        return f"LoadedModel({self.contents!r})"

    @property
    def inputs(self) -> dict[str, str]:
        """Request column to column type."""
        return self.contents.inputs

    def score_row(self, row: Mapping[str, Any]) -> float:
        """Return the score of one row."""
        return self.score_vector(self.vector(row))

    def score_rows(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        """Return the scores of rows, each bit-equal to `score_row`."""
        pack = struct.Struct(f"<{len(self.contents.features)}d").pack
        return self.score_packed_table([pack(*self.vector(row)) for row in rows])

    def score_packed_table(self, vectors: Sequence[bytes]) -> list[float]:
        """Return the scores of packed vectors, each bit-equal to `score_packed`."""
        if len(vectors) <= self.runtime.few_rows:
            return list(map(self.score_packed, vectors))
        import numpy as np

        matrix = np.frombuffer(b"".join(vectors), dtype="<f8").reshape(len(vectors), -1)
        scores: list[float] = self.score_matrix(matrix).tolist()
        return scores

    def score_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a float64 matrix, rows x features in model order."""
        return self.runtime.predict_table(matrix)

    def close(self) -> None:
        """Free the model's memory."""
        self.runtime.close()


def load_model(contents: PackageContents, loaders: Mapping[str, RuntimeLoader]) -> LoadedModel:
    """Load a package's model and score its samples again.

    TD-PACKAGE-006 when no loader has the runtime's name, TD-PACKAGE-003 when a sample's answer is
    not the recorded one, MissingExtraError when the runtime's library is not installed.
    """
    loader = loaders.get(contents.runtime)
    if loader is None:
        raise DataError(
            "TD-PACKAGE-006",
            f"package '{contents.name}' needs the runtime '{contents.runtime}'",
            expected="a runtime that this tondo knows",
            fix=near(contents.runtime, loaders),
            runtime=contents.runtime,
        )
    runtime = loader.load(contents.files, contents.runtime_options)
    try:
        model = LoadedModel(contents, runtime)
        for position, sample in enumerate(contents.samples):
            _check_sample(model, position, sample)
    except TondoError:
        runtime.close()
        raise
    return model


def _check_sample(model: LoadedModel, position: int, sample: Sample) -> None:
    vector = model.vector(sample.row)
    for name, found, sealed in zip(model.contents.features, vector, sample.vector, strict=True):
        if not _same(found, math.nan if sealed is None else sealed):
            raise _differs(model, position, sample, f"feature {name}", found, sealed)
    score = model.score_vector(vector)
    if not _same(score, sample.score):
        raise _differs(model, position, sample, "the score", score, sample.score)


def _same(found: float, sealed: float) -> bool:
    if math.isnan(sealed) or math.isnan(found):
        return math.isnan(sealed) and math.isnan(found)
    return math.isclose(found, sealed, rel_tol=SAMPLE_TOLERANCE, abs_tol=SAMPLE_TOLERANCE)


def _differs(
    model: LoadedModel, position: int, sample: Sample, what: str, found: float, sealed: Any
) -> DataError:
    row = msgspec.json.encode(sample.row)[:_SHOWN_SAMPLE].decode(errors="replace")
    return DataError(
        "TD-PACKAGE-003",
        f"package '{model.contents.name}' does not give its own answers here: in sample "
        f"{position} {what} is {found!r}, sealed as {sealed!r}",
        expected="the answers it was sealed with",
        fix="Check the installed version of the runtime's library against environment.json. "
        f"The row is {row}",
        sample=position,
    )
