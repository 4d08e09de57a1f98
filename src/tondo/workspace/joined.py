"""A deployment's predictions beside what is known of them at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    parts: Parts, deployment: str, *, start_us: int, end_us: int, at_us: int
) -> Joined:
    """Return predictions with start <= as-of < end, joined to the outcomes known at `at_us`."""
    from tondo.stages.monitoring.join import join_outcomes
    from tondo.stages.monitoring.predictions import read_predictions

    predictions = read_predictions(
        parts.predictions(deployment), start_us=start_us, end_us=end_us, columns=JUDGED_COLUMNS
    )
    # An outcome cannot arrive before its prediction was asked for.
    return join_outcomes(
        predictions,
        parts.outcomes(deployment).read(start_us=start_us),
        at_us=at_us,
        horizon_us=parts.label_horizon_us(deployment),
    )
