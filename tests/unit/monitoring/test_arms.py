from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.scoring.frames import encode
from tondo.scoring.plan import PlannedDeployment, PlannedVariant, Target, choose
from tondo.stages.deployment.guards import Guards
from tondo.stages.deployment.measure import LATENCY_LIMITS_US
from tondo.stages.deployment.rollout import LogPositions, Rollout
from tondo.stages.monitoring.arm_tail import ArmTail
from tondo.stages.monitoring.outcomes import Outcome, record_outcomes

START = 1_364_774_400_000_000


def variant(name, version, weight):
    return PlannedVariant(
        name=name, weight=weight, model="late", version=version, model_version_id=f"late-{version}",
        package="0",
    )  # fmt: skip


ROLLOUT = Rollout(
    id="r",
    deployment="late",
    current=variant("live", 1, 0.5),
    candidate=variant("candidate", 2, 0.5),
    before="s",
    steps=(0.25,),
    min_seconds=0,
    min_answers=1,
    step_started_at_us=START,
    started_at_us=START,
    by="ann",
    why="test",
)
PLANNED = PlannedDeployment(
    name="late",
    variants=[variant("live", 1, 0.5), variant("baseline", 1, 0.25), variant("candidate", 2, 0.25)],
)


def keys_of(name, count, planned=PLANNED):
    keys = (f"key-{each}" for each in range(100_000))
    return [key for key in keys if choose(planned, key).name == name][:count]


CANDIDATE, BASELINE, LIVE = (keys_of(name, 400) for name in ("candidate", "baseline", "live"))


class Desk:
    def __init__(self, logged, planned=PLANNED, rollout=ROLLOUT, eventlog=None):
        self.eventlog = eventlog or MemoryEventLog()
        self.appender = self.eventlog.appender("predictions/late", "w", durability="written")
        self.tail = ArmTail(rollout, planned, eventlog=self.eventlog)
        self.logged = logged

    def log(self, ids, name="candidate", **changes):
        self.appender.append(encode(self.logged(ids, variant=name, **changes)))

    def measure(self):
        self.tail.read()
        return self.tail.measure(at_us=START + 5)


@pytest.fixture
def desk(logged):
    return Desk(logged)


def test_each_arm_is_measured_on_the_rows_that_fell_to_it(desk):
    desk.log(BASELINE[:2], "baseline", scores=[0.2, 0.4])
    desk.log(CANDIDATE[:1], scores=[0.9], version=2)
    desk.log(LIVE[:3], "live")
    found = desk.measure()
    assert (found.baseline.answers, found.candidate.answers, found.requests) == (2, 1, 3)
    assert math.isclose(found.baseline.score_mean, 0.3)


def test_reading_again_counts_only_what_is_new(desk):
    desk.log(CANDIDATE[:1])
    desk.measure()
    desk.log(CANDIDATE[1:3])
    assert desk.measure().candidate.answers == 3
    assert desk.measure().candidate.answers == 3


def test_what_was_logged_before_the_step_is_left_out(logged):
    before = Desk(logged)
    before.log(CANDIDATE[:1])
    log = LogPositions(predictions=before.eventlog.end("predictions/late"))
    rollout = msgspec.structs.replace(ROLLOUT, log=log)
    desk = Desk(logged, rollout=rollout, eventlog=before.eventlog)
    desk.log(CANDIDATE[1:2])
    assert desk.measure().candidate.answers == 1


def test_losses_are_those_of_predictions_whose_outcome_has_come(logged):
    rollout = msgspec.structs.replace(ROLLOUT, guards=Guards(loss=0.05))
    desk = Desk(logged, rollout=rollout)
    desk.log(CANDIDATE[:3], scores=[0.2, 0.4, 0.9])
    desk.log(LIVE[:1], "live")
    known = [*zip(CANDIDATE[:2], (0.0, 1.0), strict=True), (LIVE[0], 1.0), (CANDIDATE[0], 1.0)]
    record_outcomes(
        "late",
        [Outcome(prediction_id=key, label=label, event_time_us=START) for key, label in known],
        eventlog=desk.eventlog,
        clock=ManualClock(START),
    )
    found = desk.measure()
    assert (found.candidate.labelled, found.baseline.labelled) == (2, 0)
    assert found.candidate.loss_mean == pytest.approx((0.04 + 0.36) / 2)


def test_who_asked_for_a_version_by_name_is_in_no_arm(desk):
    desk.log(LIVE[:5], "candidate")
    assert desk.measure().candidate.answers == 0


def test_who_was_sent_by_a_target_is_in_no_arm(logged):
    targets = [Target(column="origin", values=["JFK"], variant="candidate")]
    desk = Desk(logged, PlannedDeployment(name="late", variants=PLANNED.variants, targets=targets))
    desk.log(CANDIDATE[:5])
    assert desk.measure().candidate.answers == 0


@pytest.mark.parametrize("purpose", ["try", "replay", "a load test"])
def test_what_was_asked_for_another_purpose_is_no_traffic(desk, purpose):
    desk.log(CANDIDATE[:5], purpose=purpose, scores=[None] * 5, error="TD-SCORE-001")
    desk.log(BASELINE[:5], "baseline", purpose=purpose)
    found = desk.measure()
    assert (found.candidate.answers, found.baseline.answers, found.requests) == (0, 0, 0)


def test_the_traffic_of_a_staging_deployment_is_its_own(logged):
    desk = Desk(logged, msgspec.structs.replace(PLANNED, purpose="staging"))
    desk.log(CANDIDATE[:5], purpose="staging")
    assert desk.measure().candidate.answers == 5


def test_errors_and_scores_that_are_no_numbers_are_told_apart(desk):
    desk.log(CANDIDATE[:1], scores=[None], error="TD-SCORE-001")
    desk.log(CANDIDATE[1:2], scores=[None], error="TD-SCORE-013")
    desk.log(CANDIDATE[2:3])
    found = desk.measure().candidate
    assert (found.requests, found.errors, found.nulls, found.scored) == (3, 1, 1, 1)


def test_latency_counts_once_a_request(desk):
    desk.log(CANDIDATE[:3], latency_us=7_000)
    found = desk.measure().candidate
    assert found.requests == 1
    assert found.latency_p50_us == pytest.approx(7_000, rel=0.05)
    assert sum(found.slower) == sum(limit < 7_000 for limit in LATENCY_LIMITS_US)


def test_quantiles_mean_and_spread_are_numpys(desk):
    random = np.random.default_rng(0)
    latencies, scores = random.lognormal(7, 1, 400).astype(int), random.beta(2, 6, 400)
    for key, latency, score in zip(CANDIDATE, latencies, scores, strict=True):
        desk.log([key], latency_us=int(latency), scores=[score])
    found = desk.measure().candidate
    assert found.latency_p99_us == pytest.approx(np.quantile(latencies, 0.99), rel=0.1)
    assert found.latency_p50_us == pytest.approx(np.quantile(latencies, 0.5), rel=0.05)
    assert (found.score_mean, found.score_sd) == pytest.approx((scores.mean(), scores.std(ddof=1)))


def test_scores_are_counted_in_bins_that_stay(desk):
    for key in BASELINE[:60]:
        desk.log([key], "baseline", scores=[len(key) + hash(key) % 7 / 10])
    assert desk.measure().candidate_scores is None
    for key in CANDIDATE[:60]:
        desk.log([key], scores=[len(key) + hash(key) % 7 / 10])
    first = desk.measure()
    for key in CANDIDATE[60:160]:
        desk.log([key], scores=[50.0])
    second = desk.measure()
    assert second.candidate_scores.edges == first.candidate_scores.edges
    assert (first.candidate_scores.total, second.candidate_scores.total) == (60, 160)
    assert second.candidate_scores.counts[-1] >= 100


def test_a_key_that_comes_again_is_one_observation_and_two_answers(logged):
    planned = PlannedDeployment(
        name="late",
        variants=PLANNED.variants,
        sticky="distance",
        buckets=[(1, "live"), (10_000, "candidate")],
    )
    desk = Desk(logged, planned)
    for _ in range(3):
        desk.log(["any"], scores=[None], error="TD-SCORE-001")
        desk.log(["any"], scores=[0.4])
    arm = desk.measure().candidate
    assert (arm.answers, arm.errors, arm.error_keys, arm.scored) == (6, 3, 1, 0)


def test_of_a_sample_what_succeeded_is_counted_up(logged):
    planned = PlannedDeployment(
        name="late", variants=PLANNED.variants, log_mode="sampled", sample_rate=0.1
    )
    desk = Desk(logged, planned)
    desk.log(CANDIDATE[:1])
    desk.log(CANDIDATE[1:2], scores=[None], error="TD-SCORE-001")
    assert desk.measure().candidate.requests == 11
