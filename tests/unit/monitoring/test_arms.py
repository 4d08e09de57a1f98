from __future__ import annotations

import numpy as np

from tondo.scoring.frames import encode
from tondo.scoring.plan import PlannedVariant
from tondo.stages.deployment.rollout import Rollout
from tondo.stages.monitoring.arms import measure_arms
from tondo.stages.monitoring.predictions import decode_predictions

START = 1_364_774_400_000_000


def variant(version):
    return PlannedVariant(
        name="live", weight=0.5, model="late", version=version, model_version_id=f"late-{version}",
        package="0",
    )  # fmt: skip


ROLLOUT = Rollout(
    id="r",
    deployment="late",
    current=variant(1),
    candidate=variant(2),
    before="s",
    steps=(0.5,),
    min_seconds=0,
    min_answers=1,
    step_started_at_us=START,
    started_at_us=START,
    by="ann",
    why="test",
)


def measured(*requests):
    table = decode_predictions([encode(each) for each in requests])
    return measure_arms(table, ROLLOUT, at_us=START + 5)


def test_each_arm_is_measured_on_the_rows_its_version_answered(logged):
    found = measured(
        logged(["a", "b"], at=START, scores=[0.2, 0.4], version=1),
        logged(["c"], at=START, scores=[0.9], version=2),
    )
    assert (found.current.answers, found.candidate.answers) == (2, 1)
    assert np.isclose(found.current.score_mean, 0.3)


def test_latency_counts_once_a_request(logged):
    found = measured(logged(["a", "b", "c"], at=START, latency_us=700, version=1))
    assert (found.current.requests, found.current.latency_p99_us) == (1, 700.0)


def test_failed_requests_are_errors_and_null_scores_are_nulls(logged):
    found = measured(
        logged(["a"], at=START, scores=[None], error="TD-SCORE-001", version=2),
        logged(["b"], at=START, scores=[None], version=2),
    )
    assert (found.candidate.errors, found.candidate.nulls) == (1, 1)


def test_answers_before_the_step_began_are_left_out(logged):
    found = measured(logged(["a"], at=START - 1, version=2))
    assert found.candidate.answers == 0
