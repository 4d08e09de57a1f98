"""Chooses the form in which a model is served: the fastest that gives the library's own answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from tondo.core.errors import DefinitionError, near
from tondo.stages.training.distributions import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from tondo.ports.library import FittedModel, ModelForm
    from tondo.ports.runtime import Runtime, RuntimeLoader

MOST_ROWS = 10_000
"""Rows on which a conversion must agree (design.md 4)."""

NATIVE_ROWS = 1_024
"""Rows on which the library's own format must agree with itself: a check of reading and writing."""

TOLERANCE = 1e-6
"""Largest difference of a score that may stand beside equal decisions."""

BATCHES = (1, 64, 1024)
"""Rows per call that are timed: one request, a screen, a batch."""

_REPEATS = 3


class FormMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """How one form did beside the library's own prediction."""

    runtime: str
    native: bool
    rows: int
    """Rows compared."""
    largest_difference: float
    decisions_differing: int
    """Rows decided otherwise at the threshold; without one, at 0.5."""
    qualified: bool
    micros: dict[str, float]
    """Rows per call to microseconds per call, the fastest of three; empty when not qualified."""


class Qualification(msgspec.Struct, frozen=True, kw_only=True):
    """Which form was chosen, and how each did."""

    runtime: str
    forms: list[FormMeasure]


def qualify(
    fitted: FittedModel,
    matrix: np.ndarray,
    *,
    threshold: float | None,
    runtimes: Mapping[str, RuntimeLoader],
) -> tuple[ModelForm, Runtime, Qualification]:
    """Return the chosen form, loaded, and the measures of all.

    Compares on up to 10,000 rows of `matrix`, the native form alone on 1,024. Among forms that
    qualify the fastest on one row wins; the native form stands first in a tie. TD-TRAIN-005 when
    no form qualifies.
    """
    import numpy as np

    most = NATIVE_ROWS if all(form.native for form in fitted.forms) else MOST_ROWS
    rows = np.ascontiguousarray(spread(matrix, most))
    expected = fitted.reference(rows)
    forms = sorted(fitted.forms, key=lambda form: not form.native)
    measures: list[FormMeasure] = []
    best: tuple[float, ModelForm, Runtime] | None = None
    for form in forms:
        runtime = _loader(form, runtimes).load(form.files, form.options)
        measure = _measure(form, runtime, rows, expected, 0.5 if threshold is None else threshold)
        measures.append(measure)
        speed = measure.micros.get("1", float("inf"))
        if measure.qualified and (best is None or speed < best[0]):
            if best is not None:
                best[2].close()
            best = (speed, form, runtime)
        else:
            runtime.close()
    if best is None:
        raise _none_qualifies(measures)
    return best[1], best[2], Qualification(runtime=best[1].runtime, forms=measures)


def _loader(form: ModelForm, runtimes: Mapping[str, RuntimeLoader]) -> RuntimeLoader:
    found = runtimes.get(form.runtime)
    if found is None:
        raise DefinitionError(
            "TD-TRAIN-004",
            f"no runtime '{form.runtime}' is here to serve this model",
            fix=near(form.runtime, runtimes),
            runtime=form.runtime,
        )
    return found


def _measure(
    form: ModelForm, runtime: Runtime, rows: np.ndarray, expected: np.ndarray, threshold: float
) -> FormMeasure:
    import numpy as np

    scores = runtime.predict_table(rows)
    distance = np.abs(scores - expected)
    flipped = int(((scores >= threshold) != (expected >= threshold)).sum())
    largest = float(distance.max()) if len(distance) else 0.0
    qualified = bool(largest <= TOLERANCE) and flipped == 0
    return FormMeasure(
        runtime=form.runtime,
        native=form.native,
        rows=len(rows),
        largest_difference=largest,
        decisions_differing=flipped,
        qualified=qualified,
        micros=_timed(runtime, rows) if qualified else {},
    )


def _timed(runtime: Runtime, rows: np.ndarray) -> dict[str, float]:
    found: dict[str, float] = {}
    for size in BATCHES:
        part, first = rows[:size], rows[0].tolist()
        best = float("inf")
        for _ in range(_REPEATS):
            begun = time.perf_counter()
            if size == 1:
                runtime.predict_row(first)
            else:
                runtime.predict_table(part)
            best = min(best, time.perf_counter() - begun)
        found[str(size)] = round(best * 1e6, 1)
    return found


def _none_qualifies(measures: list[FormMeasure]) -> DefinitionError:
    shown = "; ".join(
        f"{each.runtime}: largest difference {each.largest_difference:.3g}, "
        f"{each.decisions_differing} decisions differ"
        for each in measures
    )
    return DefinitionError(
        "TD-TRAIN-005",
        f"no form of the model gives the library's own answers ({shown})",
        expected=f"every score within {TOLERANCE:g} and every decision equal",
        fix="Train with another algorithm; this one cannot be served as it was learned.",
    )
