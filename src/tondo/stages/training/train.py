"""Training: split, learn, seal the package, record the run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

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

    import pyarrow as pa

    from tondo.ports.progress import Progress
    from tondo.scoring.layout import ViewLayout
    from tondo.scoring.package import PackageContents
    from tondo.stages.features.resolve import ResolvedFeatures
    from tondo.stages.features.training_set import TrainingSet
    from tondo.stages.training.learn import Learned
    from tondo.stages.training.periods import SplitRows
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
    _check_refit(job)
    return _record(job, _learn_and_seal(job, tools.engine.scan(table)))


def train_with_refit(
    spec: ModelSpec,
    training_set: TrainingSet,
    table: Any,
    *,
    resolved: ResolvedFeatures,
    layouts: Mapping[str, ViewLayout],
    tools: Tools,
    period: Period,
) -> tuple[runs.Run, runs.Run]:
    """Train a candidate on `period` and, beside it, its refit on all rows; return both runs.

    The two share the threads. The refit is the same spec on more rows; it is worth anything only
    when the candidate passes its gate.
    """
    halved = replace(tools, threads=max(1, tools.threads // 2))
    candidate = Job(
        spec=spec,
        training_set=training_set,
        resolved=resolved,
        layouts=layouts,
        tools=halved,
        watch=Watch(),
        period=period,
    )
    whole = msgspec.structs.replace(period, train_until_us=None, everything=True)
    refit = replace(candidate, watch=Watch(), period=whole)
    table = tools.engine.scan(table)
    with ThreadPoolExecutor(1, "refit") as beside:
        waiting = beside.submit(_learn_and_seal, refit, table)
        judged = _record(candidate, _learn_and_seal(candidate, table))
        refit = replace(refit, refit_of=judged.id)
        return judged, _record(refit, waiting.result())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sealed:
    """A training whose package is kept but whose run is not recorded yet."""

    rows: SplitRows
    learned: Learned
    contents: PackageContents
    sealed: bytes
    started_us: int


def _learn_and_seal(job: Job, table: pa.Table) -> _Sealed:
    started_us = job.tools.clock.now_us()
    with job.watch.step("split"):
        rows = split_rows(
            table,
            time=job.training_set.time,
            label=job.label,
            split=job.spec.split,
            period=job.period,
            row_id=job.spec.row_id,
        )
    learned = learn(job, rows)
    with job.watch.step("seal"):
        contents = package_contents(job, rows, learned)
        sealed = seal(contents, key=job.tools.key)
        job.tools.blobs.put(sealed)
    return _Sealed(
        rows=rows, learned=learned, contents=contents, sealed=sealed, started_us=started_us
    )


def _record(job: Job, done: _Sealed) -> runs.Run:
    return record_run(
        job,
        done.rows,
        done.learned,
        sealed=done.sealed,
        contents=done.contents,
        started_us=done.started_us,
    )


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
