"""A deployment's predictions beside what is known of them at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.durations import parse_duration_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.monitoring.join import Joined
    from tondo.workspace.bootstrap import Parts

JUDGED_COLUMNS = (
    "prediction_id",
    "as_of",
    "version",
    "model_version_id",
    "variant",
    "score",
)


def joined_outcomes(
    parts: Parts,
    deployment: str,
    *,
    start_us: int,
    end_us: int,
    at_us: int,
    columns: Sequence[str] = JUDGED_COLUMNS,
) -> Joined:
    """Return predictions with start <= as-of < end, joined to the outcomes known at `at_us`.

    `columns` are those of the log to read, `JUDGED_COLUMNS` among them.
    """
    from tondo.stages.monitoring.join import join_outcomes
    from tondo.stages.monitoring.predictions import read_predictions

    predictions = read_predictions(
        parts.predictions(deployment), start_us=start_us, end_us=end_us, columns=columns
    )
    # An outcome cannot arrive before its prediction was asked for; later ones are not known yet.
    return join_outcomes(
        predictions,
        parts.outcomes(deployment).read(start_us=start_us, end_us=at_us + 1),
        at_us=at_us,
        horizon_us=label_horizon_us(parts, deployment),
    )


def label_horizon_us(parts: Parts, deployment: str) -> int:
    """Return how long an outcome is waited for: `label_horizon:`, a day if unsaid."""
    found = parts.project.of("deployment").get(deployment)
    return parse_duration_us(found.body.get("label_horizon", "1d") if found else "1d")
