"""Answering aside: in another thread, so that other callers do not wait for a large request.

The event loop's thread owns a route: its decoder, its model's buffers, its appender. A twin has
its own of each, asks the model in a way that may run beside others, and keeps its frames until
the loop takes them over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.faces.scorer.metrics import RouteMetrics
from tondo.faces.scorer.route import Route
from tondo.scoring.model import LoadedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tondo.ports.runtime import Runtime
    from tondo.scoring.path import ScoringPath


class AsideRuntime:
    """A runtime for one other thread: the same answers, none of the shared buffers."""

    few_rows = 1

    def __init__(self, runtime: Runtime) -> None:
        self._predict = runtime.predict_aside

    def predict_row(self, vector: Sequence[float]) -> float:
        """Return the score of one row."""
        return float(self._predict(np.array([vector], dtype=np.float64))[0])

    def predict_packed(self, data: bytes) -> float:
        """Return the score of one row given as float64 values."""
        return float(self._predict(np.frombuffer(data, dtype="<f8").reshape(1, -1))[0])

    def predict_table(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a matrix."""
        return self._predict(matrix)

    def predict_aside(self, matrix: np.ndarray) -> np.ndarray:
        """Return the scores of a matrix."""
        return self._predict(matrix)

    def close(self) -> None:
        """Do nothing: the model is not ours."""


def aside_model(model: LoadedModel) -> LoadedModel:
    """Return a loaded model that may be asked beside the loop's thread."""
    return LoadedModel(model.contents, AsideRuntime(model.runtime))


class KeptFrames:
    """An appender that keeps frames for who takes them."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self.append = self._frames.append

    def append_many(self, payloads: Iterable[bytes]) -> None:
        """Keep several."""
        self._frames.extend(payloads)

    def take(self) -> list[bytes]:
        """Return what was kept, and keep it no longer."""
        frames = self._frames.copy()
        self._frames.clear()
        return frames

    def sync(self) -> None:
        """Do nothing: whoever takes the frames writes them."""

    def roll(self) -> None:
        """Do nothing: there is no segment."""

    def close(self) -> None:
        """Do nothing."""


class Twins:
    """The twins of one route, made when they are needed; one is used by one thread at a time."""

    def __init__(
        self, handler: Callable[[Any], Any], make: Callable[..., ScoringPath], *, logged: bool
    ) -> None:
        self._handler = handler
        self._make = make
        self._logged = logged
        self._idle: list[tuple[Route, KeptFrames]] = []

    def answer(self, body: bytes) -> tuple[int, bytes, list[bytes], tuple[int, str], int]:
        """Return status, JSON, frames to be logged, predictions with variant, and nanoseconds."""
        start = time.perf_counter_ns()
        try:
            twin, frames = self._idle.pop()
        except IndexError:
            twin, frames = self._new()
        before = twin.metrics.predictions
        status, payload = twin.answer(body)
        counted = twin.metrics.predictions - before, twin.metrics.last
        kept = frames.take()
        self._idle.append((twin, frames))
        return status, payload, kept, counted, time.perf_counter_ns() - start

    def _new(self) -> tuple[Route, KeptFrames]:
        frames = KeptFrames()
        path = self._make(aside=True, appender=frames if self._logged else None)
        return Route(self._handler(path), RouteMetrics()), frames
