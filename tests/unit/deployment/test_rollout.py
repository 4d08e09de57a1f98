from __future__ import annotations

import math

import msgspec
import pytest

from rollout_arms import Arm, measured
from tondo.core.errors import ConflictError, DefinitionError
from tondo.scoring.plan import Target, choose
from tondo.stages.deployment.deploy import Settings, deploy, get_deployment
from tondo.stages.deployment.guards import Guards
from tondo.stages.deployment.measure import Measurements
from tondo.stages.deployment.pace import Pace, check_steps
from tondo.stages.deployment.rollback import rollback
from tondo.stages.deployment.rollout import next_step
from tondo.stages.deployment.rollout_records import (
    apply_step,
    find_rollout,
    get_running_rollout,
    running_rollout,
    start_rollout,
    steer_rollout,
)
from tondo.stages.deployment.state import variant_of
from tondo.stages.deployment.targets import Targeted

MINUTE_S = 60
PACE = Pace(steps=(0.1, 0.5), min_seconds=MINUTE_S, min_answers=2_000)


def look(rollout, *, seconds=MINUTE_S, count=3_000, **candidate):
    return measured(
        Arm(count, seed=1),
        Arm(count, seed=2, **candidate),
        at_us=rollout.step_started_at_us + int(seconds * 1e6),
    )


def begin(room, pace=PACE, **changes):
    deploy("late", room.version(1), **room.words)
    return start_rollout("late", room.version(2), pace=pace, **room.words, **changes)


@pytest.fixture
def rollout(room):
    return begin(room)


def words(room):
    return {"ledger": room.ledger, "clock": room.clock, "by": "loop"}


def step_on(room, rollout, **changes):
    found = look(rollout, **changes)
    return apply_step(rollout, next_step(rollout, found), measured=found, **words(room))


def shares(room):
    variants = get_deployment("late", ledger=room.ledger).desired.variants
    return [(each.name, each.version, each.weight) for each in variants]


def test_a_started_rollout_has_a_baseline_of_the_candidates_size_and_leaves_the_tag(room, rollout):
    assert shares(room) == [("live", 1, 0.8), ("baseline", 1, 0.1), ("candidate", 2, 0.1)]
    assert rollout.coin.chance == 0.5
    assert room.ledger.pointer("model/late@live").target == "late-1"


def test_at_half_of_the_traffic_the_rest_is_the_baseline(room, rollout):
    after = step_on(room, rollout)
    assert shares(room) == [("baseline", 1, 0.5), ("candidate", 2, 0.5)]
    assert (after.step, after.arms) == (1, ("baseline", "candidate"))


def test_beyond_half_the_coin_is_not_even(room):
    rollout = begin(room, Pace(steps=(0.8,)))
    assert (rollout.arms[0], rollout.coin.chance) == ("baseline", 0.8)


def test_a_rollout_goes_on_when_time_answers_and_guards_are_met(rollout):
    step = next_step(rollout, look(rollout))
    assert (step.action, step.share) == ("promote", 0.5)


@pytest.mark.parametrize(("seconds", "count"), [(59, 3_000), (900, 1_999)])
def test_a_rollout_waits_for_both_time_and_answers(rollout, seconds, count):
    assert next_step(rollout, look(rollout, seconds=seconds, count=count)).action == "wait"


def test_a_violated_guard_aborts_at_once(rollout):
    step = next_step(rollout, look(rollout, seconds=1, count=200, failed=0.2))
    assert (step.action, step.share) == ("abort", 0.0)
    assert "error_share" in step.reason


def test_no_data_never_promotes(rollout):
    silent = Measurements(at_us=rollout.step_started_at_us + 10**15)
    assert next_step(rollout, silent).action == "wait"


def test_no_data_never_promotes_where_no_minimum_is_set(room):
    rollout = begin(room, Pace(min_seconds=0, min_answers=0))
    assert next_step(rollout, Measurements(at_us=rollout.started_at_us)).action == "wait"


def test_a_candidate_that_nobody_is_compared_with_does_not_promote(rollout):
    alone = measured(Arm(0, seed=1), Arm(3_000, seed=2), at_us=rollout.started_at_us + 10**9)
    assert next_step(rollout, alone).action == "wait"


def test_conditions_stand_in_one_order(rollout):
    conditions = next_step(rollout, look(rollout)).conditions
    assert [each.name for each in conditions] == [
        "seconds_at_share", "baseline_answers", "candidate_answers",
        "hard_error_share", "hard_null_share", "hard_slow_share",
        "missing_share", "error_share", "null_share", "latency_p50_ratio", "latency_p99_ratio",
        "score_shift", "score_psi",
    ]  # fmt: skip
    assert repr(conditions[1]) == "baseline_answers met: 3000 (limit 2000)"


def test_where_losses_are_asked_for_no_outcome_means_no_promotion(room):
    rollout = begin(room, Pace(steps=(0.1,), min_seconds=1, guards=Guards(loss=0.05)))
    step = next_step(rollout, look(rollout))
    assert (step.action, step.conditions[-1].name) == ("wait", "loss")
    assert rollout.coin.questions == 6


def test_deciding_twice_on_the_same_numbers_decides_the_same(rollout):
    assert next_step(rollout, look(rollout)) == next_step(rollout, look(rollout))


def test_a_promoted_candidate_gets_the_traffic_and_the_tag(room, rollout):
    promoted = step_on(room, step_on(room, rollout))
    assert promoted.phase == "promoted"
    assert shares(room) == [("live", 2, 1.0)]
    assert room.ledger.pointer("model/late@live").target == "late-2"


def test_an_aborted_rollout_moves_the_pointer_back(room, rollout):
    step_on(room, rollout, seconds=1, count=200, failed=0.2)
    assert get_deployment("late", ledger=room.ledger).id == rollout.before
    assert running_rollout("late", ledger=room.ledger) is None


def test_what_the_candidate_answered_is_counted_over_all_steps(room, rollout):
    found = look(rollout)
    some = Measurements(**{**vars_of(found), "requests": 10_000})
    after = apply_step(rollout, next_step(rollout, some), measured=some, **words(room))
    ended = step_on(room, after, seconds=1, count=200, failed=0.4)
    assert (ended.phase, ended.touched, ended.requests) == ("aborted", 3_200, 10_000)
    (event,) = room.ledger.events(kind="rollout.aborted")
    assert event.body["touched"] == 3_200


def vars_of(value):
    return {name: getattr(value, name) for name in value.__struct_fields__}


def test_rolling_back_after_a_promotion_returns_to_the_version_before(room, rollout):
    step_on(room, step_on(room, rollout))
    assert rollback("late", **room.words).id == rollout.before


def test_a_key_that_met_the_candidate_meets_it_at_the_next_step(room, rollout):
    def met():
        planned = get_deployment("late", ledger=room.ledger).desired
        return {key for key in range(3_000) if choose(planned, str(key)).name == "candidate"}

    first = met()
    step_on(room, rollout)
    assert first < met()


def test_waiting_writes_nothing(room, rollout):
    before = room.ledger.events()
    assert step_on(room, rollout, seconds=1) == rollout
    assert room.ledger.events() == before


def test_the_event_carries_the_measurements_and_the_conditions(room, rollout):
    step_on(room, rollout)
    event = room.ledger.events(kind="rollout.running")[-1]
    assert event.body["measured"]["candidate"]["answers"] == 3_000
    assert event.body["conditions"][0]["name"] == "seconds_at_share"


def test_a_step_decided_on_an_old_state_is_refused(room, rollout):
    step_on(room, rollout)
    with pytest.raises(ConflictError, match="TD-DEPLOY-006"):
        step_on(room, rollout)


def test_a_version_is_not_tried_beside_itself(room):
    deploy("late", room.version(1), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-004"):
        start_rollout("late", room.version(1), **room.words)


def test_a_second_rollout_is_refused(room, rollout):
    with pytest.raises(ConflictError, match="TD-DEPLOY-003"):
        start_rollout("late", room.version(3), **room.words)


def test_where_nothing_is_logged_no_rollout_starts(room):
    deploy("late", room.version(1), settings=Settings(log_mode="off"), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-010"):
        start_rollout("late", room.version(2), **room.words)


@pytest.mark.parametrize("steps", [(), (0.5, 0.5), (0.0, 0.5), (0.5, 1.5), (0.5, 0.1)])
def test_steps_that_do_not_grow_between_nothing_and_all_are_refused(steps):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-005"):
        check_steps(steps)


def test_the_ledger_keeps_a_rollout_as_it_was(room, rollout):
    assert find_rollout("late", ledger=room.ledger) == rollout


def test_kinds_are_data(room):
    assert [Pace(kind=kind).shares for kind in ("canary", "blue_green", "ab")] == [
        (0.01, 0.05, 0.2, 0.5),
        (0.95,),
        (0.5,),
    ]
    assert len(Pace(kind="linear").shares) == 9


BAKE = Pace(kind="blue_green", min_seconds=MINUTE_S, min_answers=100)


def look_at_bake(rollout, *, seconds=MINUTE_S, count=3_800, **candidate):
    """Measure a bake: of twenty requests the candidate has answered nineteen."""
    return measured(
        Arm(count // 19, seed=1),
        Arm(count, seed=2, **candidate),
        at_us=rollout.step_started_at_us + int(seconds * 1e6),
    )


def test_a_bake_leaves_enough_with_the_version_before_to_compare_with(room):
    rollout = begin(room, BAKE)
    assert shares(room) == [("baseline", 1, 0.05), ("candidate", 2, 0.95)]
    assert next_step(rollout, look_at_bake(rollout, seconds=30)).action == "wait"
    found = look_at_bake(rollout)
    canary = msgspec.structs.replace(rollout, kind="canary", steps=(0.1,))
    assert condition_names(rollout, found) == condition_names(canary, found)
    apply_step(rollout, next_step(rollout, found), measured=found, **words(room))
    assert shares(room) == [("live", 2, 1.0)]


def condition_names(rollout, found):
    return [each.name for each in next_step(rollout, found).conditions]


@pytest.mark.parametrize(
    ("worse", "guard"),
    [
        ({"failed": 0.08}, "error_share"),
        ({"nulls": 0.08}, "null_share"),
        ({"slower_us": 50_000}, "latency_"),
        ({"shift": 1.5}, "score_shift"),
        ({"spread": 0.01}, "score_psi"),
    ],
)
def test_a_bad_blue_green_switch_is_taken_back_below_every_hard_limit(room, worse, guard):
    rollout = begin(room, BAKE)
    found = look_at_bake(rollout, seconds=10, **worse)
    step = next_step(rollout, found)
    violated = {each.name for each in step.conditions if each.status == "violated"}
    assert any(each.startswith(guard) for each in violated)
    assert not any(each.startswith("hard") for each in violated)
    apply_step(rollout, step, measured=found, **words(room))
    assert shares(room) == [("live", 1, 1.0)]


def test_a_good_version_is_baked_without_a_stop(room):
    # 100 bakes, each looked at 10 times; the coin is 19 to 1.
    rollout, stopped = begin(room, BAKE), 0
    for seed in range(100):
        old, new = Arm(300, seed=2 * seed, failed=0.01), Arm(5_700, seed=2 * seed + 1, failed=0.01)
        for share in range(1, 11):
            arms = [arm_until(old, 30 * share), arm_until(new, 570 * share)]
            if next_step(rollout, measured(*arms)).action == "abort":
                stopped += 1
                break
    assert stopped <= 2


def arm_until(arm, count):
    cut = Arm(0, seed=0)
    for name in ("scores", "errors", "nulls", "latencies"):
        setattr(cut, name, getattr(arm, name)[:count])
    return cut


def test_a_bake_that_holds_nothing_back_has_hard_limits_alone(room):
    rollout = begin(room, msgspec.structs.replace(BAKE, held_back=0))
    assert shares(room) == [("live", 1, 0.0), ("candidate", 2, 1.0)]
    assert next_step(rollout, look(rollout, seconds=30)).action == "wait"
    bad = look(rollout, seconds=1, count=200, failed=0.5)
    assert next_step(rollout, bad).action == "abort"
    assert step_on(room, rollout).phase == "promoted"


@pytest.mark.parametrize(
    "pace",
    [{"held_back": 0.6}, {"held_back": -0.1}, {"held_back": 0.001}, {"held_back": math.nan},
     {"steps": (0.5, 0.97, 1.0)}, {"steps": (0.9, 1.0), "held_back": 0.1}],
)  # fmt: skip
def test_what_cannot_be_held_back_is_refused(pace):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-005"):
        Pace(**pace).shares  # noqa: B018


def test_an_ab_test_ends_by_a_decision_alone(room):
    rollout = begin(room, Pace(kind="ab", min_answers=100))
    step = next_step(rollout, look(rollout))
    assert (step.action, step.reason) == ("wait", "an A/B test ends by a decision")
    steer_rollout(rollout, "promoted", **room.words)
    assert shares(room) == [("live", 2, 1.0)]


def test_a_paused_rollout_is_not_promoted_and_yet_aborted(room, rollout):
    paused = steer_rollout(rollout, "paused", **room.words)
    assert shares(room)[2] == ("candidate", 2, 0.1)
    assert next_step(paused, look(paused)).action == "wait"
    assert next_step(paused, look(paused, failed=0.3)).action == "abort"
    resumed = steer_rollout(paused, "running", **room.words)
    assert next_step(resumed, look(resumed)).action == "promote"


def test_aborting_by_hand_gives_the_traffic_back(room, rollout):
    steer_rollout(rollout, "aborted", **room.words)
    assert shares(room) == [("live", 1, 1.0)]


def test_steering_without_a_rollout_says_how_to_start_one(room):
    deploy("late", room.version(1), **room.words)
    with pytest.raises(ConflictError, match="TD-DEPLOY-012.*tondo rollout start late"):
        get_running_rollout("late", ledger=room.ledger)


def test_targets_last_as_long_as_the_rollout(room):
    target = Target(column="carrier", values=["AA"], variant="candidate")
    rollout = begin(room, targeted=Targeted([target]))
    planned = get_deployment("late", ledger=room.ledger).desired
    assert choose(planned, "any", {"carrier": "AA"}).name == "candidate"
    after = step_on(room, rollout)
    assert len(get_deployment("late", ledger=room.ledger).desired.targets) == 1
    step_on(room, after)
    assert get_deployment("late", ledger=room.ledger).desired.targets == []


def test_a_version_beside_answers_its_rows_before_and_after_and_none_of_the_others(room):
    beside = variant_of(room.version(1), name="v1", weight=0.0)
    targets = [
        Target(column="carrier", values=["UA"], variant="candidate"),
        Target(column="carrier", values=["AA", "UA"], variant="v1"),
    ]
    rollout = begin(room, targeted=Targeted(targets, [beside]))
    rollout = step_on(room, step_on(room, rollout))
    planned = get_deployment("late", ledger=room.ledger).desired
    assert (rollout.phase, shares(room)) == ("promoted", [("live", 2, 1.0), ("v1", 1, 0.0)])
    found = [choose(planned, "any", {"carrier": each}).version for each in ("AA", "UA", "B6")]
    assert found == [1, 2, 2]


def test_a_version_against_itself_is_stopped_in_at_most_two_percent(rollout):
    # 100 rollouts, each looked at 20 times; heavy tails, one percent of failures. The full run,
    # with looks every second over four steps, is benchmarks/rollouts.py.
    stopped = 0
    for seed in range(100):
        arms = [Arm(1_800, seed=2 * seed + side, failed=0.01) for side in (0, 1)]
        for arm in arms:
            arm.latencies = arm.latencies * 60
        looks = (measured(*arms, count=count) for count in range(90, 1_801, 90))
        stopped += any(next_step(rollout, each).action == "abort" for each in looks)
    assert stopped <= 2
