"""The runtime port: a loaded model that turns feature vectors into scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np


class Runtime(Protocol):
    """One loaded model. A missing value is NaN in the vector."""

    few_rows: int
    """Up to so many rows `predict_packed`, one after the other, is quicker than a table."""

    def predict_row(self, vector: Sequence[float]) -> float:
        """Return the score of one row (probability of the positive class, or the value)."""
        ...

    def predict_packed(self, data: bytes) -> float:
        """Return the score of one row given as float64 values, little-endian: the quickest way."""
        ...

    def predict_table(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a float64 matrix, rows x features, bit-equal to `predict_row`."""
        ...

    def predict_aside(self, matrix: np.ndarray) -> np.ndarray:
        """Return what `predict_table` does; for any thread, beside calls from others."""
        ...

    def close(self) -> None:
        """Free the model's memory."""
        ...


@runtime_checkable
class Explaining(Protocol):
    """A runtime that can tell what each feature did; not every one can."""

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Return rows x (features + 1): what each adds to the raw score, last what is expected.

        A row's sum is its raw score: log-odds of a binary model, the value otherwise.
        """
        ...


class RuntimeLoader(Protocol):
    """Loads model files of one kind; `name` is what a package records."""

    name: str
    extra: str | None
    """The extra that brings the library, or None when the base install has it."""

    def load(self, files: Mapping[str, bytes], options: Mapping[str, Any]) -> Runtime:
        """Load from the package's model files; MissingExtraError when the library is absent."""
        ...
