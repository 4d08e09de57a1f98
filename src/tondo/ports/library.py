"""The model library port: fits an algorithm and writes its model files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np


class ModelForm(msgspec.Struct, frozen=True, kw_only=True):
    """One serialised form: which runtime loads it, from which files."""

    runtime: str
    files: dict[str, bytes]
    options: dict[str, Any] = {}
    native: bool = False
    """True for the library's own format, the reference that conversions are held to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedModel:
    """What a library returns: candidate forms of one model, the best-liked first."""

    forms: tuple[ModelForm, ...]
    """Every form the model can be served in; calibration picks one that qualifies."""
    importance: dict[str, float]
    """Feature name to importance (gain for trees, |coefficient| x sd for linear)."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What the fit has to say, as plain JSON: iterations, convergence."""
    reference: Callable[[np.ndarray], np.ndarray]
    """The library's own prediction from memory, which every form is held to. Never stored."""


class ModelLibrary(Protocol):
    """Fits one or more algorithms. `algorithms` are the names a model spec may use."""

    algorithms: tuple[str, ...]

    def default_parameters(self, algorithm: str) -> dict[str, Any]:
        """Return every hyperparameter with its default."""
        ...

    def prepare(self) -> None:
        """Import what `fit` needs, which may be done beside other work; none if not installed."""
        ...

    def fit(
        self,
        algorithm: str,
        parameters: Mapping[str, Any],
        matrix: np.ndarray,
        label: np.ndarray,
        *,
        names: Sequence[str],
        categorical: Sequence[str],
        seed: int,
        threads: int,
    ) -> FittedModel:
        """Fit on float64 rows x features (NaN is missing); label is float64, 0/1 for binary."""
        ...
