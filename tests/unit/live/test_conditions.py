"""A rollout is told in words: what it waits for, what it cannot see, what may be chance."""

from __future__ import annotations

import msgspec
import pytest

from tondo.stages.deployment.guards import Condition
from tondo.stages.deployment.status import DeploymentStatus
from tondo.workspace.live.conditions import standing


def condition(name, status="met", value=0.3, limit=0.75):
    return Condition(name=name, status=status, value=value, limit=limit, why=f"{name} is so")


STATUS = DeploymentStatus(
    deployment="late",
    desired=4,
    candidate=4,
    current=3,
    share=0.05,
    phase="running",
    conditions=(condition("published"),),
    reason="score_psi is 6.65, above 1",
    at_us=0,
)


@pytest.mark.parametrize(
    ("unmet", "told"),
    [
        ([], "change of the scores' distribution is 6.65, above 1"),
        (
            [
                condition("seconds_at_share", "unmet", 53.1, 60),
                condition("candidate_answers", "unmet", 41, 50),
                condition("score_psi", "unmet", None, 1.0),
            ],
            (
                "waits for time at this share and answers of the candidate; "
                "no data yet on change of the scores' distribution"
            ),
        ),
        (
            [condition("error_share", "unmet", 0.03, 0.02)],
            "above the limit, which may be chance: failed requests above the baseline's",
        ),
        ([condition("resumed", "unmet", 0, 1)], "resumed is so"),
        ([condition(f"guard_{n}", "unmet", None) for n in range(9)], "no data yet on 9 conditions"),
        (
            [
                condition("score_psi", "violated", 6.65, 1.0),
                condition("candidate_answers", "unmet", 41, 50),
            ],
            "change of the scores' distribution is 6.65, above 1",
        ),
    ],
)
def test_what_a_rollout_waits_for_is_one_sentence(unmet, told):
    conditions = (*STATUS.conditions, *unmet)
    assert standing(msgspec.structs.replace(STATUS, conditions=conditions)) == told


def test_a_rollout_that_has_ended_tells_why():
    ended = msgspec.structs.replace(
        STATUS, phase="aborted", conditions=(condition("score_psi", "unmet", None),)
    )
    assert standing(ended) == "change of the scores' distribution is 6.65, above 1"
