"""Gradient boosted trees by LightGBM, without its scikit-learn wrappers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import MissingExtraError
from tondo.ports.library import FittedModel, ModelForm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

_DEFAULTS: dict[str, Any] = {
    "num_iterations": 200,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "max_depth": -1,
    "max_bin": 255,
    "min_data_in_leaf": 20,
    "min_sum_hessian_in_leaf": 1e-3,
    "min_gain_to_split": 0.0,
    "lambda_l1": 0.0,
    "lambda_l2": 0.0,
    "feature_fraction": 1.0,
    "bagging_fraction": 1.0,
    "bagging_freq": 0,
    "cat_smooth": 10.0,
    "cat_l2": 10.0,
    "max_cat_threshold": 32,
}
"""LightGBM's own names; its own defaults but for 200 trees instead of 100."""

_FIXED: dict[str, Any] = {
    "objective": "binary",
    # The same bytes for the same data and seed, whatever the number of threads.
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class LightGBMLibrary:
    """Fits `lightgbm`, deterministic for a seed; missing values go their own way in each split."""

    algorithms = ("lightgbm",)

    def default_parameters(self, algorithm: str) -> dict[str, Any]:  # noqa: ARG002 - there is one
        """Return every hyperparameter with its default."""
        return dict(_DEFAULTS)

    def fit(  # noqa: PLR0913 - the port's signature
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
        """Fit on float64 rows x features (NaN is missing); label is float64 0/1."""
        try:
            import lightgbm
        except ImportError:
            raise MissingExtraError.of("lightgbm", "training with LightGBM") from None
        settings = {**self.default_parameters(algorithm), **parameters, **_FIXED}
        rounds = int(settings.pop("num_iterations"))
        settings |= {"seed": seed, "num_threads": threads}
        data = lightgbm.Dataset(
            matrix,
            label,
            feature_name=list(names),
            categorical_feature=list(categorical),
            params=settings,
            free_raw_data=True,
        )
        booster = lightgbm.train(settings, data, num_boost_round=rounds)
        gains = booster.feature_importance(importance_type="gain")

        def reference(rows: np.ndarray) -> np.ndarray:
            scores: np.ndarray = booster.predict(rows, num_threads=threads)
            return scores

        form = ModelForm(
            runtime="lightgbm",
            files={"model.txt": _lean(booster.model_to_string()).encode()},
            native=True,
        )
        return FittedModel(
            forms=(form,),
            importance=dict(zip(names, map(float, gains), strict=True)),
            notes={"trees": booster.num_trees()},
            reference=reference,
        )


def _lean(text: str) -> str:
    """Return the model text without the training parameters, which the package's spec holds.

    They name the number of threads, so they would make equal models differ in their digest.
    """
    body, found, rest = text.partition("\nparameters:\n")
    _, _, after = rest.partition("end of parameters\n")
    return f"{body}\n{after}" if found else text
