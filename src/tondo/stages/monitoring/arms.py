"""The arms of a rollout as the prediction log shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.stages.deployment.measure import ArmRows, Measurements, measure
from tondo.stages.monitoring.predictions import id_codes
from tondo.stages.monitoring.streams import cut

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.stages.deployment.rollout import Rollout

ARM_COLUMNS = (
    "as_of",
    "request_id",
    "variant",
    "model_version_id",
    "latency_us",
    "error",
    "score",
)
"""What `measure_arms` reads of the prediction table."""


def measure_arms(predictions: pa.Table, rollout: Rollout, *, at_us: int) -> Measurements:
    """Measure both arms over the predictions since the rollout's present step began."""
    since = cut(predictions, "as_of", rollout.step_started_at_us, None)
    return measure(
        arm_rows(since, rollout.current.model_version_id),
        arm_rows(since, rollout.candidate.model_version_id),
        guards=rollout.guards,
        at_us=at_us,
    )


def arm_rows(predictions: pa.Table, model_version_id: str) -> ArmRows:
    """Return the rows that one version answered; latencies once a request."""
    import numpy as np
    import pyarrow.compute as pc

    table = predictions.filter(pc.equal(predictions.column("model_version_id"), model_version_id))
    _, first = np.unique(id_codes(table.column("request_id")), return_index=True)
    latencies = table.column("latency_us").to_numpy()
    return ArmRows(
        scores=np.asarray(table.column("score").to_numpy(), dtype=np.float64),
        failed=np.asarray(table.column("error").is_valid(), dtype=bool),
        latencies_us=latencies[first],
    )
