"""The retraining policy: a definition as its author writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tondo.core.durations import parse_duration_us
from tondo.core.errors import DefinitionError
from tondo.core.names import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping


class RetrainingPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a model is trained again: it fell below what was accepted, or a month has passed."""

    model: str
    """The model, by name."""
    metric: Literal["auc"] = "auc"
    """The live metric that is compared with what the gate accepted."""
    window: str = "28d"
    """Trailing time over which the metric is taken; four whole weeks, so weekdays weigh alike."""
    every: str = "7d"
    """Time between two checks."""
    holdout: str = "14d"
    """Labelled time after the live model's last training row before any check runs; the gate
    compares the candidate and the live model on it, and neither was trained on it."""
    minimum_coverage: float = 0.95
    """Share of matured predictions that must have an outcome for a check to count."""
    standard_errors: float = 2.0
    """How far below what was accepted, in standard errors of the difference."""
    checks: int = 2
    """Checks running that must be below."""
    monthly: bool = True
    """Train again when the last training is a calendar month old."""

    @property
    def window_us(self) -> int:
        """The window in microseconds."""
        return parse_duration_us(self.window)

    @property
    def every_us(self) -> int:
        """The time between two checks in microseconds."""
        return parse_duration_us(self.every)

    @property
    def holdout_us(self) -> int:
        """The holdout in microseconds."""
        return parse_duration_us(self.holdout)


def read_policy(definition: Mapping[str, Any]) -> RetrainingPolicy:
    """Return the policy of a parsed definition file; TD-RETRAIN-001 says what is wrong with it.

    >>> read_policy({"model": "late_arrival"}).window
    '28d'
    """
    try:
        policy = msgspec.convert(dict(definition), RetrainingPolicy)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from None
    check_name(policy.model, "model")
    for text in (policy.window, policy.every, policy.holdout):
        parse_duration_us(text)
    if not 0 <= policy.minimum_coverage <= 1:
        raise _refused(f"minimum_coverage is {policy.minimum_coverage:g}, not a share")
    if policy.standard_errors < 0:
        raise _refused(f"standard_errors is {policy.standard_errors:g}, below 0")
    if policy.checks < 1:
        raise _refused(f"checks is {policy.checks}, below 1")
    return policy


def _refused(what: str) -> DefinitionError:
    return DefinitionError(
        "TD-RETRAIN-001",
        f"the retraining policy cannot be read: {what}",
        expected="a mapping with model, and any of " + ", ".join(_OPTIONAL),
        fix="Durations are written 28d, shares 0.95.",
    )


_OPTIONAL = [each for each in RetrainingPolicy.__struct_fields__ if each != "model"]
