"""Logistic regression by scikit-learn, served as an ONNX graph in float64."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.adapters.libraries.sklearn.graph import LogisticPlan, logistic_graph
from tondo.core.errors import DefinitionError, MissingExtraError
from tondo.ports.library import FittedModel, ModelForm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

_DEFAULTS: dict[str, Any] = {
    "c": 1.0,
    "max_iterations": 200,
    "tolerance": 1e-4,
    "max_categories": 64,
}
"""scikit-learn's C, max_iter and tol; the most values of a category with a coefficient each."""


class SklearnLibrary:
    """Fits `logistic`: missing values filled by the mean, scaled, categories one by one."""

    algorithms: tuple[str, ...] = ("logistic",)

    def default_parameters(self, algorithm: str) -> dict[str, Any]:  # noqa: ARG002 - there is one
        """Return every hyperparameter with its default."""
        return dict(_DEFAULTS)

    def prepare(self) -> None:
        """Import scikit-learn where it is installed: the import takes longer than most fits."""
        with contextlib.suppress(ImportError):
            importlib.import_module("sklearn.linear_model")

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
        threads: int,  # noqa: ARG002 - the same bytes on one core and on many
    ) -> FittedModel:
        """Fit on float64 rows x features (NaN is missing); label is float64 0/1."""
        settings = {**self.default_parameters(algorithm), **parameters}
        plan = _prepared(matrix, names, categorical, int(settings["max_categories"]))
        fitted, converged = _fit(_design(matrix, plan), label, settings, seed)
        plan = msgspec.structs.replace(
            plan, coefficients=fitted.coef_[0].tolist(), intercept=float(fitted.intercept_[0])
        )

        def reference(rows: np.ndarray) -> np.ndarray:
            scores: np.ndarray = fitted.predict_proba(_design(rows, plan))[:, 1]
            return scores

        # The graph adds the terms of each row in one order, however many rows there are.
        form = ModelForm(
            runtime="onnx",
            files={"model.onnx": logistic_graph(plan)},
            options={"whole_tables": True},
        )
        return FittedModel(
            forms=(form,),
            importance=_importance(plan, names),
            notes={"iterations": int(fitted.n_iter_[0]), "converged": converged},
            reference=reference,
        )


def _prepared(
    matrix: np.ndarray, names: Sequence[str], categorical: Sequence[str], most: int
) -> LogisticPlan:
    import numpy as np

    grouped = [position for position, name in enumerate(names) if name in set(categorical)]
    numeric = [position for position in range(len(names)) if position not in set(grouped)]
    means, inverses = [], []
    for position in numeric:
        column = matrix[:, position]
        present = column[~np.isnan(column)]
        deviation = float(present.std()) if len(present) else 0.0
        means.append(float(present.mean()) if len(present) else 0.0)
        inverses.append(1.0 / deviation if deviation > 0.0 else 0.0)
    return LogisticPlan(
        width=len(names),
        numeric=numeric,
        mean=means,
        inverse_sd=inverses,
        categorical=grouped,
        values=[_frequent(matrix[:, position], most) for position in grouped],
        coefficients=[],
        intercept=0.0,
    )


def _frequent(column: np.ndarray, most: int) -> list[float]:
    import numpy as np

    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    kept = np.sort(values[np.argsort(-counts, kind="stable")[:most]])
    return [float(value) for value in kept] or [0.0]


def _design(matrix: np.ndarray, plan: LogisticPlan) -> np.ndarray:
    """Return the columns that have a coefficient, as the graph computes them."""
    import numpy as np

    chosen = matrix[:, plan.numeric]
    mean = np.array(plan.mean)
    scaled = (np.where(np.isnan(chosen), mean, chosen) - mean) * np.array(plan.inverse_sd)
    groups = [
        (matrix[:, [position]] == np.array([values])).astype(np.float64)
        for position, values in zip(plan.categorical, plan.values, strict=True)
    ]
    return np.hstack([scaled, *groups])


def _fit(
    design: np.ndarray, label: np.ndarray, settings: Mapping[str, Any], seed: int
) -> tuple[Any, bool]:
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # has none
    except ImportError:
        raise MissingExtraError.of("platform", "training with scikit-learn") from None
    model = LogisticRegression(
        C=float(settings["c"]),
        max_iter=int(settings["max_iterations"]),
        tol=float(settings["tolerance"]),
        random_state=seed,
    )
    # One thread: sums split over threads would depend on how many cores there are.
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        try:
            model.fit(design, label)
        except ValueError as error:
            raise DefinitionError(
                "TD-SPEC-005",
                f"logistic cannot be fitted with these parameters: {error}",
                expected="parameters in the ranges that scikit-learn takes",
                fix="Correct `parameters:` of the model.",
            ) from None
    converged = not any(issubclass(each.category, ConvergenceWarning) for each in caught)
    return model, converged


def _importance(plan: LogisticPlan, names: Sequence[str]) -> dict[str, float]:
    """Return |coefficient| x sd; of a category the largest |coefficient| of its values."""
    found = dict.fromkeys(names, 0.0)
    for position, weight in zip(plan.numeric, plan.coefficients, strict=False):
        found[names[position]] = abs(weight)
    first = len(plan.numeric)
    for position, values in zip(plan.categorical, plan.values, strict=True):
        weights = plan.coefficients[first : first + len(values)]
        found[names[position]] = max(map(abs, weights))
        first += len(values)
    return found
