"""Training: split, learn, seal the package, record the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.core.errors import CallerError
from tondo.scoring.package import seal
from tondo.stages.training import run as runs
from tondo.stages.training.contents import package_contents
from tondo.stages.training.job import Job, Tools, Watch
from tondo.stages.training.learn import learn
from tondo.stages.training.periods import Period, split_rows
from tondo.stages.training.record import record_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tondo.ports.progress import Progress
    from tondo.scoring.layout import ViewLayout
    from tondo.stages.features.resolve import ResolvedFeatures
    from tondo.stages.features.training_set import TrainingSet
    from tondo.stages.training.spec import ModelSpec

_SPLIT_BY_SPEC = Period()


def train(
    spec: ModelSpec,
    training_set: TrainingSet,
    table: Any,
    *,
    resolved: ResolvedFeatures,
    layouts: Mapping[str, ViewLayout],
    tools: Tools,
    period: Period = _SPLIT_BY_SPEC,
    refit_of: str | None = None,
    progress: Progress | None = None,
) -> runs.Run:
    """Train `spec` on the table of a training set; return the recorded run.

    The package lies in the blobs, signed when the tools have a key. `refit_of` names the judged
    run of the same spec (else TD-TRAIN-008) whose refit on more rows this is.
    Errors: TD-SPEC-004 and -005 (algorithm, parameter), TD-TRAIN-001 to -009.
    """
    job = Job(
        spec=spec,
        training_set=training_set,
        resolved=resolved,
        layouts=layouts,
        tools=tools,
        watch=Watch(progress),
        period=period,
        refit_of=refit_of,
    )
    started_us = tools.clock.now_us()
    _check_refit(job)
    with job.watch.step("split"):
        rows = split_rows(
            tools.engine.scan(table),
            time=training_set.time,
            label=job.label,
            split=spec.split,
            period=period,
        )
    learned = learn(job, rows)
    with job.watch.step("seal"):
        contents = package_contents(job, rows, learned)
        sealed = seal(contents, key=tools.key)
        tools.blobs.put(sealed)
    return record_run(job, rows, learned, sealed=sealed, contents=contents, started_us=started_us)


def _check_refit(job: Job) -> None:
    if job.refit_of is None:
        return
    judged = job.tools.ledger.read(runs.KIND, job.refit_of, runs.Run)
    if judged.spec != job.spec.id:
        raise CallerError(
            "TD-TRAIN-008",
            f"run {job.refit_of} was trained by another spec ({judged.spec[:12]}, "
            f"not {job.spec.id[:12]})",
            expected="the very spec that was judged",
            fix="Train and judge the changed spec first.",
        )
