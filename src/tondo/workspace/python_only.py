"""Public verbs that no face offers, because what they take or return lives in Python alone."""

from __future__ import annotations

PYTHON_ONLY: dict[str, str] = {
    "data.commit_table": "takes an Arrow table",
    "data.table": "returns files for an engine to read",
    "data.derived": "dataset.show tells the same",
    "schemas.block_bad_batch": "takes an Arrow table",
    "preparation.by_example": "takes examples in Python's own types",
    "preparation.label_quality": "takes out-of-fold scores as an array",
    "rollouts.running": "deployment.list tells the same",
    "features.pusher": "returns an open writer",
    "monitoring.joined": "returns an Arrow table",
    "monitoring.outcome_log": "returns an open writer",
    "live.feed": "looked at again and again by a page or a terminal, and closed by it",
}
"""Public verbs that are no operations, each with the reason."""
