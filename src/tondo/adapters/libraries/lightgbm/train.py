"""Gradient boosted trees by LightGBM, without its scikit-learn wrappers."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from tondo.core.errors import DefinitionError, MissingExtraError
from tondo.ports.library import FittedModel, ModelForm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

_PARAMETERS: dict[str, tuple[str, Any]] = {
    "trees": ("num_iterations", 200),
    "leaves": ("num_leaves", 31),
    "learning_rate": ("learning_rate", 0.1),
    "max_depth": ("max_depth", -1),
    "max_bin": ("max_bin", 255),
    "min_leaf_rows": ("min_data_in_leaf", 20),
    "min_leaf_weight": ("min_sum_hessian_in_leaf", 1e-3),
    "min_gain": ("min_gain_to_split", 0.0),
    "l1": ("lambda_l1", 0.0),
    "l2": ("lambda_l2", 0.0),
    "feature_share": ("feature_fraction", 1.0),
    "row_share": ("bagging_fraction", 1.0),
    "categorical_smoothing": ("cat_smooth", 10.0),
    "categorical_l2": ("cat_l2", 10.0),
}
"""A spec's word, LightGBM's word, the default: LightGBM's own, but 200 trees instead of 100.

The words are ours so that a spec keeps its meaning when its algorithm is changed.
"""

_FIXED: dict[str, Any] = {
    "objective": "binary",
    # The same bytes for the same data and seed, whatever the number of threads.
    "deterministic": True,
    "force_col_wise": True,
    # Rows from which the bins' edges are learnt: 200 for each of 255 bins. LightGBM's own 200,000
    # take a seventh of a training of 60 trees and gave no better AUC.
    "bin_construct_sample_cnt": 50_000,
    "verbosity": -1,
}


class LightGBMLibrary:
    """Fits `lightgbm`, deterministic for a seed; missing values go their own way in each split."""

    algorithms: tuple[str, ...] = ("lightgbm",)

    def default_parameters(self, algorithm: str) -> dict[str, Any]:  # noqa: ARG002 - there is one
        """Return every hyperparameter with its default."""
        return {name: default for name, (_, default) in _PARAMETERS.items()}

    def prepare(self) -> None:
        """Import LightGBM where it is installed."""
        with contextlib.suppress(MissingExtraError):
            _load()

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
        """Fit on float64 rows x features (NaN is missing); label is float64 0/1."""
        lightgbm = _load()
        settings = _settings({**self.default_parameters(algorithm), **parameters})
        settings |= {"seed": seed, "num_threads": threads}
        rounds = int(settings.pop("num_iterations"))
        data = lightgbm.Dataset(
            matrix,
            label,
            feature_name=list(names),
            categorical_feature=list(categorical),
            params=settings,
            free_raw_data=True,
        )
        try:
            booster = lightgbm.train(settings, data, num_boost_round=rounds)
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise DefinitionError(
                "TD-SPEC-005",
                f"lightgbm cannot be fitted with these parameters: {error}",
                expected="parameters in the ranges that LightGBM takes",
                fix="Correct `parameters:` of the model.",
            ) from None
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


def _load() -> Any:
    # OpenMP's threads wait by spinning unless told otherwise before the library is loaded: beside
    # two other busy processes, 100 trees then took 21 s instead of 2.8 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import lightgbm
    except ImportError:
        raise MissingExtraError.of("lightgbm", "training with LightGBM") from None
    return lightgbm


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return LightGBM's own settings."""
    named = {_PARAMETERS[name][0]: value for name, value in parameters.items()}
    # A share of the rows is drawn anew for each tree; without this LightGBM ignores the share.
    return {**named, "bagging_freq": int(named["bagging_fraction"] < 1.0), **_FIXED}


def _lean(text: str) -> str:
    """Return the model text without the training parameters, which the package's spec holds.

    They name the number of threads, so they would make equal models differ in their digest.
    """
    body, found, rest = text.partition("\nparameters:\n")
    _, _, after = rest.partition("end of parameters\n")
    return f"{body}\n{after}" if found else text
