"""Pairs of answers compared, with what came true of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from tondo.stages.evaluation.compare import PairedComparison
    from tondo.stages.serving.comparison import Comparison
    from tondo.stages.serving.pairs import Pairs
    from tondo.workspace.bootstrap import Parts


def compared(parts: Parts, deployment: str, version_id: str, pairs: Pairs) -> Comparison:
    """Compare what production and a candidate answered, by the outcomes that are known now."""
    from tondo.stages.serving.comparison import compare
    from tondo.workspace.consuming.candidates import package_of

    answered_by = pairs.rows.column("production_version_id").unique().to_pylist()
    return compare(
        pairs,
        candidate_threshold=package_of(parts, version_id).threshold,
        production_thresholds={each: package_of(parts, each).threshold for each in answered_by},
        outcomes=_by_outcome(parts, deployment, pairs.rows),
    )


def _by_outcome(parts: Parts, deployment: str, rows: pa.Table) -> PairedComparison | None:
    """Compare both by the outcomes of matured predictions; None while there is none."""
    import pyarrow.compute as pc

    from tondo.stages.evaluation.compare import paired
    from tondo.stages.monitoring.join import join_outcomes
    from tondo.stages.monitoring.streams import micros
    from tondo.stages.serving.comparison import numbers, scored_by_both
    from tondo.workspace.joined import label_horizon_us

    both = scored_by_both(rows)
    if not both.num_rows:
        return None
    at_us = parts.clock.now_us()
    joined = join_outcomes(
        both,
        parts.outcomes(deployment).read(start_us=int(micros(both, "as_of").min())),
        at_us=at_us,
        horizon_us=label_horizon_us(parts, deployment),
    ).table
    known = joined.filter(pc.and_(joined.column("matured"), joined.column("label").is_valid()))
    if not known.num_rows:
        return None
    return paired(
        numbers(known, "candidate"), numbers(known, "production"), numbers(known, "label")
    )
