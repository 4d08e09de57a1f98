"""What a package says of the training it comes from.

Nothing in it tells when or under which run it was made: the same rows, spec, seed and libraries
give the same package, byte for byte. The run points at the package, not the other way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tondo.scoring.package import PackageContents
from tondo.stages.training.distributions import baseline_of
from tondo.stages.training.fitting import fitted_parameters
from tondo.stages.training.surroundings import environment_record

if TYPE_CHECKING:
    from tondo.stages.training.job import Job
    from tondo.stages.training.learn import Learned
    from tondo.stages.training.periods import SplitRows


def package_contents(job: Job, rows: SplitRows, learned: Learned) -> PackageContents:
    """Return everything that is sealed."""
    spec, form = job.spec, learned.form
    return PackageContents(
        name=spec.model,
        task=spec.task,
        algorithm=spec.algorithm,
        runtime=form.runtime,
        runtime_options=form.options,
        extra=job.tools.runtimes[form.runtime].extra,
        inputs=dict(job.resolved.inputs),
        features=learned.features,
        views={name: job.layouts[name] for _, name, _, _ in job.resolved.view_features},
        view_features=list(job.resolved.view_features),
        keys=dict(job.resolved.keys),
        threshold=spec.threshold,
        schema=_schema(job, rows),
        spec=_plain(spec),
        fitted=fitted_parameters(learned.features),
        importance=learned.fitted.importance,
        samples=learned.samples,
        training=_training(job, rows, learned),
        environment=environment_record(),
        files=form.files,
        baseline=baseline_of(
            learned.matrix,
            list(learned.features),
            categorical=spec.categorical,
            scores=learned.scores,
        ),
    )


def _schema(job: Job, rows: SplitRows) -> dict[str, Any]:
    """Return type and share of nulls of each request column, as the training rows had them."""
    count = rows.training.num_rows
    return {
        "columns": {
            name: {"type": kind, "null_share": rows.training.column(name).null_count / count}
            for name, kind in job.resolved.inputs.items()
        }
    }


def _training(job: Job, rows: SplitRows, learned: Learned) -> dict[str, Any]:
    positives = int(learned.label.sum())
    return {
        "training_set": job.training_set.id,
        "spec": job.spec.id,
        "seed": job.spec.seed,
        "rows": len(learned.label),
        "positives": positives,
        "base_rate": positives / len(learned.label),
        "first_time_us": rows.first_us,
        "last_training_time_us": rows.last_training_us,
        "validation_from_us": rows.boundary_us,
        "parameters": learned.parameters,
        "parity": {
            "rows": max(each.rows for each in learned.qualification.forms),
            "forms": [
                {
                    "runtime": each.runtime,
                    "native": each.native,
                    "largest_difference": each.largest_difference,
                    "decisions_differing": each.decisions_differing,
                    "qualified": each.qualified,
                }
                for each in learned.qualification.forms
            ],
        },
    }


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain
