"""Writes a run and what belongs to it into the ledger, as one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.canonical import digest, digest_bytes
from tondo.scoring.package import package_digest
from tondo.stages.data.schema_versions import find_version
from tondo.stages.training.run import KIND, Run, RunRows

if TYPE_CHECKING:
    from tondo.ports.library import ModelForm
    from tondo.scoring.package import PackageContents
    from tondo.stages.training.job import Job
    from tondo.stages.training.learn import Learned
    from tondo.stages.training.periods import SplitRows


def record_run(
    job: Job,
    rows: SplitRows,
    learned: Learned,
    *,
    sealed: bytes,
    contents: PackageContents,
    started_us: int,
) -> Run:
    """Record spec, environment, run and package with their edges; return the run."""
    spec, tools = job.spec, job.tools
    version = find_version(spec.source, ledger=tools.ledger)
    found = Run(
        id=tools.ledger.new_id(),
        model=spec.model,
        spec=spec.id,
        training_set=job.training_set.id,
        task=spec.task,
        algorithm=spec.algorithm,
        parameters=learned.parameters,
        features=list(learned.features),
        seed=spec.seed,
        threads=tools.threads,
        rows=_counts(rows, learned),
        first_time_us=rows.first_us,
        last_training_time_us=rows.last_training_us,
        validation_from_us=rows.boundary_us,
        split=spec.split,
        period=job.period,
        package=package_digest(sealed),
        package_bytes=len(sealed),
        model_digest=_model_digest(learned.form),
        qualification=learned.qualification,
        metrics=learned.metrics,
        importance=learned.fitted.importance,
        notes=learned.fitted.notes,
        leakage=learned.leakage,
        environment=digest(contents.environment),
        seconds=dict(job.watch.seconds),
        started_at_us=started_us,
        ended_at_us=tools.clock.now_us(),
        refit_of=job.refit_of,
        schema_version=version.id if version else None,
    )
    _write(found, job, contents)
    return found


def _write(run: Run, job: Job, contents: PackageContents) -> None:
    ledger = job.tools.ledger
    parents = [
        ("training_set", run.training_set, "training_set"),
        ("model_spec", run.spec, "spec"),
        ("environment", run.environment, "environment"),
    ]
    if run.refit_of is not None:
        parents.append((KIND, run.refit_of, "refit_of"))
    if run.schema_version is not None:
        parents.append(("schema_version", run.schema_version, "schema"))
    package = {
        "model": run.model,
        "algorithm": run.algorithm,
        "runtime": contents.runtime,
        "bytes": run.package_bytes,
    }
    with ledger.transaction():
        ledger.put("model_spec", run.spec, job.spec)
        ledger.put("environment", run.environment, contents.environment)
        ledger.put(KIND, run.id, run, parents=parents)
        ledger.put("package", run.package, package, parents=[(KIND, run.id, "sealed_by")])


def _counts(rows: SplitRows, learned: Learned) -> RunRows:
    return RunRows(
        training=len(learned.label),
        validation=rows.validation.num_rows,
        test=rows.test.num_rows,
        unlabelled=rows.unlabelled,
        positives=int(learned.label.sum()),
    )


def _model_digest(form: ModelForm) -> str:
    return digest({name: digest_bytes(data) for name, data in form.files.items()})
