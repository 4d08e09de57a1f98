from __future__ import annotations

import msgspec
import pytest

from tondo.core.errors import DefinitionError
from tondo.core.instants import parse_instant
from tondo.stages.retraining.decision import (
    DAY_US,
    CheckMeasurement,
    LiveModel,
    decide,
    fall,
    is_check_due,
)
from tondo.stages.retraining.policy import read_policy

TRAINED = parse_instant("2013-04-01T00:00:00Z")
POLICY = read_policy({"model": "late"})
LIVE = LiveModel(
    model_version_id="v1",
    accepted_auc=0.75,
    accepted_standard_error=0.004,
    last_training_row_us=TRAINED,
    trained_at_us=TRAINED,
    labelled_until_us=TRAINED + 20 * DAY_US,
)


def check(day, auc, *, error=0.003, coverage=0.97, version="v1"):
    return CheckMeasurement(
        at_us=TRAINED + day * DAY_US,
        model_version_id=version,
        auc=auc,
        standard_error=error,
        coverage=coverage,
        labelled=20_000,
    )


LOW, FINE = 0.7399, 0.7401  # ten thousandths around two standard errors of 0.005 below 0.75
NOTHING = None

TRUTH = [
    # checks, changes of the live model, day of the decision, what is decided, by which rule
    ([], {}, 20, "none", None),
    ([check(15, LOW)], {}, 20, "none", None),
    ([check(15, LOW), check(20, LOW)], {}, 20, "retrain", "metric"),
    ([check(15, LOW), check(20, FINE)], {}, 20, "none", None),
    ([check(15, FINE), check(20, LOW)], {}, 20, "none", None),
    ([check(8, LOW), check(15, FINE), check(20, LOW)], {}, 20, "none", None),
    ([check(8, FINE), check(15, LOW), check(20, LOW)], {}, 20, "retrain", "metric"),
    ([check(15, LOW), check(20, LOW, coverage=0.949)], {}, 20, "none", None),
    ([check(15, LOW, coverage=0.95), check(20, LOW)], {}, 20, "retrain", "metric"),
    ([check(15, LOW), check(20, NOTHING)], {}, 20, "none", None),
    ([check(15, LOW), check(20, LOW, version="v0")], {}, 20, "none", None),
    ([check(-9, LOW), check(20, LOW)], {}, 20, "none", None),
    (
        [check(15, LOW), check(20, LOW)],
        {"last_attempt_us": TRAINED + 16 * DAY_US},
        20,
        "none",
        None,
    ),
    ([check(15, LOW), check(20, LOW)], {"accepted_auc": None}, 20, "none", None),
    ([check(15, LOW), check(20, LOW)], {"busy": "a rollout is running"}, 20, "none", None),
    (
        [check(15, LOW), check(20, LOW)],
        {"labelled_until_us": TRAINED + 14 * DAY_US - 1},
        20,
        "none",
        None,
    ),
    (
        [check(15, LOW), check(20, LOW)],
        {"labelled_until_us": TRAINED + 14 * DAY_US},
        20,
        "retrain",
        "metric",
    ),
    ([check(20, FINE)], {}, 29, "none", None),
    ([check(20, FINE)], {}, 30, "retrain", "month"),
    ([], {}, 30, "retrain", "month"),
    ([check(15, LOW), check(20, LOW)], {}, 30, "retrain", "metric"),
    ([], {"last_attempt_us": TRAINED + 10 * DAY_US}, 30, "none", None),
    ([], {"labelled_until_us": TRAINED}, 300, "none", None),
]


@pytest.mark.parametrize(("checks", "changes", "day", "action", "trigger"), TRUTH)
def test_the_decision_follows_the_truth_table(checks, changes, day, action, trigger):
    live = msgspec.structs.replace(LIVE, **changes)
    decision = decide(POLICY, checks, live, at_us=TRAINED + day * DAY_US)
    assert (decision.action, decision.trigger) == (action, trigger)


def test_without_a_monthly_rule_age_alone_asks_for_nothing():
    policy = read_policy({"model": "late", "monthly": False})
    assert not decide(policy, [], LIVE, at_us=TRAINED + 300 * DAY_US).retrain


def test_the_standard_errors_of_both_estimates_are_combined():
    assert fall(check(15, 0.74), LIVE) == pytest.approx(0.01 / 0.005)


def test_the_window_stands_alone_where_the_accepted_error_is_unknown():
    live = msgspec.structs.replace(LIVE, accepted_standard_error=None)
    assert fall(check(15, 0.744), live) == pytest.approx(2.0)


def test_the_reasons_are_sentences_with_the_numbers():
    decision = decide(POLICY, [check(15, LOW), check(20, LOW)], LIVE, at_us=TRAINED + 20 * DAY_US)
    assert decision.reasons == (
        "2013-04-16: AUC 0.7399 is 2.0 standard errors below the accepted 0.7500 (2 are allowed).",
        "2013-04-21: AUC 0.7399 is 2.0 standard errors below the accepted 0.7500 (2 are allowed).",
        "The last training, on 2013-04-01, is less than a month old.",
    )
    assert decision.numbers["coverage"] == 0.97


def test_low_coverage_is_said_in_the_reasons():
    decision = decide(POLICY, [check(15, LOW, coverage=0.5)], LIVE, at_us=TRAINED + 20 * DAY_US)
    assert "coverage 50.0% is below 95%" in decision.reasons[0]


@pytest.mark.parametrize(("days", "due"), [(None, True), (6, False), (7, True), (9, True)])
def test_a_check_is_due_every_week(days, due):
    last = None if days is None else TRAINED - days * DAY_US
    assert is_check_due(POLICY, last, at_us=TRAINED) is due


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"model": "late", "windw": "28d"},
        {"model": "late", "metric": "mae"},
        {"model": "late", "minimum_coverage": 1.2},
        {"model": "late", "standard_errors": -1},
        {"model": "late", "checks": 0},
    ],
)
def test_a_broken_policy_is_refused(wrong):
    with pytest.raises(DefinitionError, match="TD-RETRAIN-001"):
        read_policy(wrong)
