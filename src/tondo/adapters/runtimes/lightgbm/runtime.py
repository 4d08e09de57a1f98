"""LightGBM's native model through its single-row fast call."""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.adapters.runtimes.lightgbm.library import (
    CONTRIBUTIONS,
    FLOAT64,
    NORMAL,
    check,
    load_library,
    unusable,
)
from tondo.adapters.runtimes.lightgbm.text import check_text
from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ROWS_OF_ONE_THREAD = 256
"""Up to here starting threads costs more than it brings."""

_OPTIONS = b"num_threads=1 verbosity=-1"
_TABLE_OPTIONS = b"verbosity=-1"


class LightGBMRuntime:
    """One booster. Rows and small tables reuse its buffers: call it from one thread at a time."""

    few_rows = 24
    """A table's rows are cheaper, but the call for it begins with more: with 200 trees, in turns
    of ever other rows, it was the dearer one up to 16 rows (decision 017)."""

    def __init__(self, library: ctypes.CDLL, booster: ctypes.c_void_p, features: int) -> None:
        self._library = library
        self._booster = booster
        self._features = features
        self._score = ctypes.c_double()
        self._length = ctypes.c_int64()
        self._pack = struct.Struct(f"={features}d").pack
        self._row_bytes = 8 * features
        self._config = ctypes.c_void_p()
        check(
            library,
            library.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster, NORMAL, 0, -1, FLOAT64, features, _OPTIONS, ctypes.byref(self._config)
            ),
        )
        self._call: Callable[..., int] = library.LGBM_BoosterPredictForMatSingleRowFast
        self._outputs = (ctypes.addressof(self._length), ctypes.addressof(self._score))

    def predict_row(self, vector: Sequence[float]) -> float:
        """Return the score of one row."""
        try:
            data = self._pack(*vector)
        except struct.error:
            raise self._wrong_width(len(vector)) from None
        return self.predict_packed(data)

    def predict_packed(self, data: bytes) -> float:
        """Return the score of one row given as float64 values."""
        if len(data) != self._row_bytes:
            raise self._wrong_width(len(data) // 8)
        if self._call(self._config, data, *self._outputs):
            check(self._library, -1)
        return self._score.value

    def predict_table(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a matrix, bit-equal to `predict_row`."""
        if len(matrix) > self.few_rows:
            return self.predict_aside(matrix)
        rows = self._checked(matrix)
        return np.array([self.predict_packed(row.tobytes()) for row in rows], dtype=np.float64)

    def predict_aside(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a matrix; each call has buffers of its own."""
        rows = self._checked(matrix)
        scores = np.empty(len(rows), dtype=np.float64)
        options = _OPTIONS if len(rows) <= _ROWS_OF_ONE_THREAD else _TABLE_OPTIONS
        status = self._library.LGBM_BoosterPredictForMat(
            *(self._booster, rows.ctypes.data, FLOAT64, len(rows), self._features),
            *(1, NORMAL, 0, -1, options, ctypes.byref(ctypes.c_int64()), scores.ctypes.data),
        )
        check(self._library, status)
        return scores

    def _checked(self, matrix: np.ndarray) -> np.ndarray:
        """Return the matrix, rows x features, as C reads it; TD-RUNTIME-004, -005."""
        if not self._booster:
            _closed()
        rows = np.ascontiguousarray(matrix, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self._features:
            raise self._wrong_width(rows.shape[-1])
        return rows

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Return what each feature adds to the raw score of each row, and last what is expected.

        Rows x (features + 1), exact Shapley values of the trees (Lundberg, Erion, Lee 2018); a
        row's sum is its raw score: the log-odds of a binary model.
        """
        rows = self._checked(matrix)
        found = np.empty((len(rows), self._features + 1), dtype=np.float64)
        status = self._library.LGBM_BoosterPredictForMat(
            *(self._booster, rows.ctypes.data, FLOAT64, len(rows), self._features),
            *(1, CONTRIBUTIONS, 0, -1, _OPTIONS, ctypes.byref(self._length), found.ctypes.data),
        )
        check(self._library, status)
        return found

    def close(self) -> None:
        """Free the booster; later calls raise TD-RUNTIME-004."""
        if not self._booster:
            return
        self._call = _closed
        self._library.LGBM_FastConfigFree(self._config)
        self._library.LGBM_BoosterFree(self._booster)
        self._booster = ctypes.c_void_p()

    def __del__(self) -> None:
        """Free what nobody can call any more."""
        self.close()

    def _wrong_width(self, found: int) -> CallerError:
        return CallerError(
            "TD-RUNTIME-005",
            f"the vector has {found} features",
            expected=f"{self._features}, as the model was trained with",
        )


def _closed(*_: Any) -> Any:
    raise CallerError("TD-RUNTIME-004", "the model was closed", fix="Load it again.")


class LightGBMLoader:
    """Loads a package's single model text."""

    name = "lightgbm"
    extra: str | None = "lightgbm"

    def load(self, files: Mapping[str, bytes], options: Mapping[str, Any]) -> LightGBMRuntime:
        """Load; TD-RUNTIME-001 on unsound text, MissingExtraError without the library."""
        del options  # the text says all
        library = load_library()
        if len(files) != 1:
            raise unusable(f"it has {len(files)} files: {', '.join(sorted(files)) or 'none'}")
        data = next(iter(files.values()))
        check_text(data)
        booster = ctypes.c_void_p()
        trees = ctypes.c_int()
        check(
            library,
            library.LGBM_BoosterLoadModelFromString(
                data, ctypes.byref(trees), ctypes.byref(booster)
            ),
        )
        features = ctypes.c_int()
        check(library, library.LGBM_BoosterGetNumFeature(booster, ctypes.byref(features)))
        return LightGBMRuntime(library, booster, features.value)
