from __future__ import annotations

import numpy as np
import pytest

from tondo.core.errors import ConflictError, DefinitionError
from tondo.stages.deployment.canary import (
    Pace,
    apply_step,
    find_rollout,
    running_rollout,
    start_rollout,
)
from tondo.stages.deployment.deploy import deploy, get_deployment
from tondo.stages.deployment.guards import Guards
from tondo.stages.deployment.measure import ArmRows, Measurements, measure
from tondo.stages.deployment.rollback import rollback
from tondo.stages.deployment.rollout import check_steps, next_step

DAY_S = 86_400


def arm(count, *, seed, failed=0.0):
    generator = np.random.default_rng(seed)
    return ArmRows(
        scores=generator.beta(2, 6, count),
        failed=generator.random(count) < failed,
        latencies_us=generator.lognormal(5, 1.0, count),
    )


def measured(rollout, *, seconds, count=3_000, failed=0.0):
    return measure(
        arm(count, seed=1),
        arm(count, seed=2, failed=failed),
        guards=rollout.guards,
        at_us=rollout.step_started_at_us + int(seconds * 1e6),
    )


@pytest.fixture
def rollout(room):
    deploy("late", room.version(1), **room.words)
    return start_rollout("late", room.version(2), **room.words)


def words(room):
    return {"ledger": room.ledger, "clock": room.clock, "by": "loop"}


def test_a_started_rollout_shares_the_traffic_and_leaves_the_tag(room, rollout):
    state = get_deployment("late", ledger=room.ledger)
    assert [(each.name, each.weight) for each in state.desired.variants] == [
        ("live", 0.5),
        ("candidate", 0.5),
    ]
    assert room.ledger.pointer("model/late@live").target == "late-1"


def test_a_rollout_promotes_when_time_answers_and_guards_are_met(rollout):
    step = next_step(rollout, measured(rollout, seconds=3 * DAY_S))
    assert (step.action, step.share) == ("promote", 1.0)


@pytest.mark.parametrize(("seconds", "count"), [(2 * DAY_S, 3_000), (9 * DAY_S, 1_999)])
def test_a_rollout_waits_for_both_time_and_answers(rollout, seconds, count):
    assert next_step(rollout, measured(rollout, seconds=seconds, count=count)).action == "wait"


def test_a_violated_guard_aborts_at_once(rollout):
    step = next_step(rollout, measured(rollout, seconds=1, count=200, failed=0.2))
    assert (step.action, step.share) == ("abort", 0.0)


def test_no_data_never_promotes(rollout):
    empty = Measurements(at_us=rollout.started_at_us + 10**15)
    assert next_step(rollout, empty).action == "wait"


def test_conditions_are_named_in_order_with_value_and_limit(rollout):
    conditions = next_step(rollout, measured(rollout, seconds=3 * DAY_S)).conditions
    assert [each.name for each in conditions][:3] == [
        "seconds_at_share",
        "current_answers",
        "candidate_answers",
    ]
    assert repr(conditions[1]) == "current_answers met: 3000 (limit 2000)"


def test_deciding_twice_on_the_same_numbers_decides_the_same(rollout):
    numbers = measured(rollout, seconds=3 * DAY_S)
    assert next_step(rollout, numbers) == next_step(rollout, numbers)


def test_a_promoted_candidate_gets_the_traffic_and_the_tag(room, rollout):
    numbers = measured(rollout, seconds=3 * DAY_S)
    promoted = apply_step(rollout, next_step(rollout, numbers), measured=numbers, **words(room))
    state = get_deployment("late", ledger=room.ledger)
    assert promoted.phase == "promoted"
    assert repr(state) == "DeploymentState(late: v2 100 %)"
    assert room.ledger.pointer("model/late@live").target == "late-2"


def test_an_aborted_rollout_moves_the_pointer_back(room, rollout):
    numbers = measured(rollout, seconds=1, count=200, failed=0.2)
    apply_step(rollout, next_step(rollout, numbers), measured=numbers, **words(room))
    assert get_deployment("late", ledger=room.ledger).id == rollout.before
    assert running_rollout("late", ledger=room.ledger) is None


def test_rolling_back_after_a_promotion_returns_to_the_version_before(room, rollout):
    numbers = measured(rollout, seconds=3 * DAY_S)
    apply_step(rollout, next_step(rollout, numbers), measured=numbers, **words(room))
    assert rollback("late", **room.words).id == rollout.before


def test_a_rollout_of_two_steps_raises_the_share_in_between(room):
    deploy("late", room.version(1), **room.words)
    pace = Pace(steps=(0.1, 0.5), min_seconds=60, min_answers=100)
    rollout = start_rollout("late", room.version(2), pace=pace, **room.words)
    numbers = measured(rollout, seconds=60)
    room.clock.advance_us(60_000_000)
    after = apply_step(rollout, next_step(rollout, numbers), measured=numbers, **words(room))
    state = get_deployment("late", ledger=room.ledger)
    assert (after.step, after.desired) == (1, 0.5)
    assert [each.weight for each in state.desired.variants] == [0.5, 0.5]
    assert after.step_started_at_us > rollout.step_started_at_us


def test_waiting_writes_nothing(room, rollout):
    numbers = measured(rollout, seconds=1)
    before = room.ledger.events()
    assert (
        apply_step(rollout, next_step(rollout, numbers), measured=numbers, **words(room)) == rollout
    )
    assert room.ledger.events() == before


def test_the_event_carries_the_measurements_and_the_conditions(room, rollout):
    numbers = measured(rollout, seconds=3 * DAY_S)
    apply_step(rollout, next_step(rollout, numbers), measured=numbers, **words(room))
    (event,) = room.ledger.events(kind="rollout.promoted")
    assert event.body["measured"]["candidate"]["answers"] == 3_000
    assert event.body["conditions"][0]["name"] == "seconds_at_share"


def test_a_step_decided_on_an_old_state_is_refused(room, rollout):
    numbers = measured(rollout, seconds=3 * DAY_S)
    step = next_step(rollout, numbers)
    apply_step(rollout, step, measured=numbers, **words(room))
    with pytest.raises(ConflictError, match="TD-DEPLOY-006"):
        apply_step(rollout, step, measured=numbers, **words(room))


def test_a_version_is_not_tried_beside_itself(room):
    deploy("late", room.version(1), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-004"):
        start_rollout("late", room.version(1), **room.words)


def test_a_second_rollout_is_refused(room, rollout):
    with pytest.raises(ConflictError, match="TD-DEPLOY-003"):
        start_rollout("late", room.version(3), **room.words)


@pytest.mark.parametrize("steps", [(), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0), (0.5, 0.1)])
def test_steps_that_do_not_grow_between_nothing_and_all_are_refused(steps):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-005"):
        check_steps(steps)


def test_the_ledger_keeps_a_rollout_as_it_was(room, rollout):
    assert find_rollout("late", ledger=room.ledger) == rollout


def test_a_version_against_itself_is_aborted_in_at_most_two_percent(rollout):
    # 300 rollouts, each looked at ten times; heavy-tailed latency, one percent of failures.
    aborted = 0
    for seed in range(300):
        arms = [arm(2_000, seed=2 * seed + side, failed=0.01) for side in (0, 1)]
        aborted += any(aborts_at(rollout, arms, count) for count in range(200, 2_001, 200))
    assert aborted <= 6


def aborts_at(rollout, arms, count):
    current, candidate = (
        ArmRows(
            scores=each.scores[:count],
            failed=each.failed[:count],
            latencies_us=each.latencies_us[:count] * 40,
        )
        for each in arms
    )
    numbers = measure(current, candidate, guards=Guards(), at_us=rollout.started_at_us)
    return next_step(rollout, numbers).action == "abort"
