"""One training as it was asked for: the spec, its data, and what it works with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ledger.ledger import Ledger
    from tondo.ports.blobs import Blobs
    from tondo.ports.clock import Clock
    from tondo.ports.engine import Engine
    from tondo.ports.library import ModelLibrary
    from tondo.ports.progress import Progress
    from tondo.ports.runtime import RuntimeLoader
    from tondo.scoring.layout import ViewLayout
    from tondo.stages.features.resolve import ResolvedFeatures
    from tondo.stages.features.training_set import TrainingSet
    from tondo.stages.training.periods import Period
    from tondo.stages.training.spec import ModelSpec

Measure = Callable[..., Mapping[str, float | None]]
"""`measure(scores, label, threshold=...)`, as the evaluation stage's `binary_metrics`."""

STEPS = ("split", "features", "matrix", "fit", "qualify", "leaks", "seal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What training works with."""

    engine: Engine
    blobs: Blobs
    ledger: Ledger
    libraries: Mapping[str, ModelLibrary]
    runtimes: Mapping[str, RuntimeLoader]
    clock: Clock
    threads: int = 2
    key: bytes | None = None
    """Signs the package when given."""
    measure: Measure | None = None
    """Gives the run its metrics on the held-back rows; without it the run has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One training as it was asked for."""

    spec: ModelSpec
    training_set: TrainingSet
    resolved: ResolvedFeatures
    layouts: Mapping[str, ViewLayout]
    tools: Tools
    watch: Watch
    period: Period
    refit_of: str | None = None

    @property
    def label(self) -> str:
        """The training set's label column; TD-TRAIN-009 when it was built without one."""
        if self.training_set.label is None:
            raise CallerError(
                "TD-TRAIN-009",
                f"training set '{self.training_set.name}' was built without a label",
                expected="a training set with the spec's label",
                fix="Build it with the label of the model spec.",
            )
        return self.training_set.label


class Watch:
    """Wall seconds by step, told to the progress."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block under `name`, one of STEPS."""
        if self._progress is not None:
            self._progress.advance(STEPS.index(name), len(STEPS), name)
        begun = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - begun, 4)
