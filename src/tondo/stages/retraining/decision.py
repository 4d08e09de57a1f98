"""The decision whether to train again: pure, with its reasons as sentences.

"Below what the gate accepted by more than two standard errors" compares two estimates: the live
AUC over the window and the accepted AUC over the gate's own rows. They come from different rows, so
the standard error of their difference is the root of the sum of both squared (DeLong 1988 gives
each). Taking the window's error alone would treat the accepted figure as exact and retrain for the
luck of fourteen days. Where the accepted error is unknown, the window's stands alone.
"""

from __future__ import annotations

import calendar
import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.core.instants import format_instant, from_micros, to_micros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.retraining.policy import RetrainingPolicy

DAY_US = 86_400_000_000


class CheckMeasurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one check measured of the live version over the policy's window."""

    at_us: int
    """When the check was made."""
    model_version_id: str
    """The version that was measured."""
    auc: float | None
    """None where one class is missing."""
    standard_error: float | None
    """DeLong's standard error of `auc`."""
    coverage: float
    """Share of matured predictions that have an outcome."""
    labelled: int
    """Predictions with an outcome."""


class LiveModel(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the version that answers."""

    model_version_id: str
    accepted_auc: float | None
    """AUC of the report that the gate accepted; a refit has its parent's."""
    accepted_standard_error: float | None = None
    last_training_row_us: int
    """Time of the newest row it was trained on."""
    trained_at_us: int
    """When it was trained."""
    last_attempt_us: int | None = None
    """When training was last tried for this version, whatever came of it."""
    labelled_until_us: int
    """Outcomes are mature up to this instant."""
    busy: str | None = None
    """Why nothing may start now, such as a running rollout; None when something may."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Train again or not, and why."""

    action: Literal["none", "retrain"]
    trigger: Literal["metric", "month"] | None
    """The rule that asks for it; `metric` when both do."""
    reasons: tuple[str, ...]
    """Sentences with the numbers in them."""
    numbers: dict[str, float]
    """The numbers that the reasons name."""

    @property
    def retrain(self) -> bool:
        """Whether training starts."""
        return self.action == "retrain"

    def __repr__(self) -> str:
        """Show action and reasons."""
        return f"Decision({self.action}: {' '.join(self.reasons)})"


def decide(
    policy: RetrainingPolicy,
    checks: Sequence[CheckMeasurement],
    live: LiveModel,
    *,
    at_us: int,
) -> Decision:
    """Decide at the instant `at_us`, from the checks made so far (oldest first).

    Checks count that measured the live version after its last training attempt. A check without
    enough coverage, or without an AUC, shows nothing and so breaks a run of low ones.
    """
    if live.busy is not None:
        return _none(f"Nothing starts now: {live.busy}.")
    labelled_us = live.labelled_until_us - live.last_training_row_us
    if labelled_us < policy.holdout_us:
        days = max(labelled_us, 0) / DAY_US
        return _none(
            f"No check yet: {days:.1f} labelled days since the last training row,"
            f" {policy.holdout} are needed.",
            labelled_days=days,
        )
    low, reasons, numbers = _metric_rule(policy, checks, live)
    old, sentence = _month_rule(policy, live, at_us)
    if not low and not old:
        return Decision(action="none", trigger=None, reasons=(*reasons, sentence), numbers=numbers)
    return Decision(
        action="retrain",
        trigger="metric" if low else "month",
        reasons=(*reasons, sentence),
        numbers=numbers,
    )


def is_check_due(policy: RetrainingPolicy, last_check_us: int | None, *, at_us: int) -> bool:
    """Say whether the next check is due: the first at once, others `every` after the last."""
    return last_check_us is None or at_us - last_check_us >= policy.every_us


def fall(check: CheckMeasurement, live: LiveModel) -> float | None:
    """Return how far a check lies below what was accepted, in standard errors; None if unknown."""
    if check.auc is None or not check.standard_error or live.accepted_auc is None:
        return None
    error = math.hypot(check.standard_error, live.accepted_standard_error or 0.0)
    return (live.accepted_auc - check.auc) / error


def a_month_after(instant_us: int) -> int:
    """Return the same day and time of the next month, or its last day.

    >>> from tondo.core.instants import format_instant, parse_instant
    >>> format_instant(a_month_after(parse_instant("2013-01-31T06:00:00Z")))
    '2013-02-28T06:00:00Z'
    """
    start = from_micros(instant_us)
    year, month = divmod(start.year * 12 + start.month, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return to_micros(start.replace(year=year, month=month + 1, day=day))


def _metric_rule(
    policy: RetrainingPolicy, checks: Sequence[CheckMeasurement], live: LiveModel
) -> tuple[bool, tuple[str, ...], dict[str, float]]:
    since_us = live.trained_at_us if live.last_attempt_us is None else live.last_attempt_us
    counted = [
        each
        for each in checks
        if each.model_version_id == live.model_version_id and each.at_us > since_us
    ][-policy.checks :]
    if not counted:
        return False, ("No check of this version has been made yet.",), {}
    low = [_is_low(policy, each, live) for each in counted]
    reasons = tuple(_sentence(policy, each, live) for each in counted)
    return len(low) == policy.checks and all(low), reasons, _numbers(counted[-1], live)


def _is_low(policy: RetrainingPolicy, check: CheckMeasurement, live: LiveModel) -> bool:
    depth = fall(check, live)
    if depth is None or check.coverage < policy.minimum_coverage:
        return False
    return depth > policy.standard_errors


def _sentence(policy: RetrainingPolicy, check: CheckMeasurement, live: LiveModel) -> str:
    when, depth = format_instant(check.at_us)[:10], fall(check, live)
    if check.coverage < policy.minimum_coverage:
        return (
            f"{when}: shows nothing, coverage {check.coverage:.1%} is below"
            f" {policy.minimum_coverage:.0%}."
        )
    if depth is None:
        return f"{when}: shows nothing, there is no AUC to compare."
    side = "below" if depth >= 0 else "above"
    return (
        f"{when}: AUC {check.auc:.4f} is {abs(depth):.1f} standard errors {side} the accepted"
        f" {live.accepted_auc:.4f} ({policy.standard_errors:g} are allowed)."
    )


def _numbers(check: CheckMeasurement, live: LiveModel) -> dict[str, float]:
    known = {
        "auc": check.auc,
        "standard_error": check.standard_error,
        "coverage": check.coverage,
        "labelled": float(check.labelled),
        "accepted_auc": live.accepted_auc,
        "accepted_standard_error": live.accepted_standard_error,
        "standard_errors_below": fall(check, live),
    }
    return {name: value for name, value in known.items() if value is not None}


def _month_rule(policy: RetrainingPolicy, live: LiveModel, at_us: int) -> tuple[bool, str]:
    if not policy.monthly:
        return False, "There is no monthly rule."
    last_us = max(live.trained_at_us, live.last_attempt_us or live.trained_at_us)
    due_us = a_month_after(last_us)
    day = format_instant(last_us)[:10]
    if at_us >= due_us:
        return True, f"The last training, on {day}, is a month old."
    return False, f"The last training, on {day}, is less than a month old."


def _none(reason: str, **numbers: float) -> Decision:
    return Decision(action="none", trigger=None, reasons=(reason,), numbers=numbers)
