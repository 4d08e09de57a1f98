"""LightGBM's C library, called through ctypes without its Python package."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path

from tondo.core.errors import DataError, MissingExtraError, PlatformError

FLOAT64 = 1
"""C_API_DTYPE_FLOAT64"""

NORMAL = 0
"""C_API_PREDICT_NORMAL: the objective's transform applied"""

CONTRIBUTIONS = 3
"""C_API_PREDICT_CONTRIB: what each feature adds to the raw score, and what the trees expect"""

_NAMES = ("lib_lightgbm.so", "lib_lightgbm.dylib", "lib_lightgbm.dll")


def find_library() -> Path:
    """Return the installed library's file; MissingExtraError when there is none."""
    found = importlib.util.find_spec("lightgbm")
    for place in (found.submodule_search_locations or []) if found else []:
        for folder in (Path(place) / "lib", Path(place)):
            for name in _NAMES:
                if (folder / name).is_file():
                    return folder / name
    raise MissingExtraError.of("lightgbm", "a LightGBM model")


@cache
def load_library() -> ctypes.CDLL:
    """Load the library once a process; TD-RUNTIME-003 when the system lacks libgomp."""
    path = find_library()
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise PlatformError(
            "TD-RUNTIME-003",
            f"LightGBM's library cannot be loaded: {error}",
            expected="the OpenMP library libgomp.so.1 on this system",
            fix="On Debian or Ubuntu run: apt-get install libgomp1",
            path=str(path),
        ) from None
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    void, whole = ctypes.c_void_p, ctypes.c_int
    # Plain addresses instead of POINTER types: half the cost of a call.
    library.LGBM_BoosterPredictForMatSingleRowFast.argtypes = [void, void, void, void]
    library.LGBM_BoosterPredictForMat.argtypes = [
        *(void, void, whole, ctypes.c_int32, ctypes.c_int32),
        *(whole, whole, whole, whole, ctypes.c_char_p, void, void),
    ]
    library.LGBM_BoosterPredictForMatSingleRowFastInit.argtypes = [
        *(void, whole, whole, whole, whole, ctypes.c_int32, ctypes.c_char_p, void),
    ]
    library.LGBM_BoosterLoadModelFromString.argtypes = [ctypes.c_char_p, void, void]
    library.LGBM_BoosterGetNumFeature.argtypes = [void, void]
    library.LGBM_BoosterGetNumClasses.argtypes = [void, void]
    library.LGBM_BoosterFree.argtypes = [void]
    library.LGBM_FastConfigFree.argtypes = [void]
    return library


def check(library: ctypes.CDLL, status: int) -> None:
    """Raise TD-RUNTIME-001 with the library's own words when a call failed."""
    if status != 0:
        raise unusable(library.LGBM_GetLastError().decode(errors="replace"))


def unusable(why: str) -> DataError:
    """Build the error for model text that cannot be served."""
    return DataError(
        "TD-RUNTIME-001",
        f"the LightGBM model cannot be used: {why}",
        expected="model text as LightGBM saves it, one score a row",
        fix="Fetch the package again, or train the model again.",
    )
