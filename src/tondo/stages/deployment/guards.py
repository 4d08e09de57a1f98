"""What may stop a rollout: each guard turns measurements into one named condition.

A guard that compares asks for an effect beyond its limit AND for evidence that the arms differ
(evidence.py), so much that rollouts of a version against itself are stopped in at most
`FALSE_STOPS` of cases, however often somebody looks. An effect beyond the limit without evidence
neither aborts nor promotes: it waits for more answers. A hard limit compares with nobody.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.scoring.baseline import Distribution, psi, psi_noise_floor
from tondo.stages.deployment.evidence import log_above, log_differs, log_more
from tondo.stages.deployment.measure import LATENCY_LIMITS_US, limit_above

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.stages.deployment.measure import ArmMeasurement, Measurements

Status = Literal["met", "unmet", "violated"]

FALSE_STOPS = 0.01
"""Share of rollouts of a version against itself that comparing may stop, all steps together."""

QUESTIONS = 5
"""What is asked of each step: answers that are missing, errors, nulls, slowness, scores. The two
latencies are one bet over the same limits, the two guards on scores read one bet."""

FALSE_HARD_STOPS = 1e-3
"""Chance that a hard limit ever stops an arm whose true share is half of it."""

LEAST_OUTCOMES = 100
"""Outcomes of each arm before losses are judged at all."""

SHIFT_SIGMAS = 3.5
TOLERATED_SHIFT = 2 / 3
"""What is measured of scores must stand 3.5 standard errors above two thirds of its limit. With
few rows an estimate may reach the limit by chance though a retrained model moved by less."""


class Guards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits on what a candidate may do worse than the current version."""

    missing_share: float = 0.1
    """Largest share of answers that the candidate may owe: what it was asked for and never logged,
    because its process died or it is still at it."""
    error_share: float = 0.02
    """Largest share of failed requests above the baseline's."""
    hard_error_share: float = 0.2
    """Largest share of failed requests whatever the baseline does."""
    null_share: float = 0.02
    """Largest share of requests without a score above the baseline's."""
    hard_null_share: float = 0.2
    """Largest share of requests without a score whatever the baseline does."""
    latency_ratio: float = 1.5
    """Largest ratio of the arms' medians, and of their 99th percentiles, of latency."""
    latency_floor_us: int = 5_000
    """Latencies below 5 ms count as 5 ms: between models of microseconds a ratio says nothing."""
    hard_latency_us: int = 1_000_000
    """A request slower than this is as good as failed to most callers."""
    hard_slow_share: float = 0.2
    """Largest share of such requests whatever the baseline does."""
    score_shift: float = 0.75
    """Largest difference of mean scores, in standard deviations of the scores. A model retrained
    across seasons moves by half of one; a wrong column or unit moves by more than one."""
    score_psi: float = 1.0
    """Largest population stability index between the arms' scores, above its noise floor: a
    doubled spread is about 0.9, scores collapsed to a constant several."""

    loss: float | None = None
    """Largest mean squared difference of score and outcome above the baseline's. None does not
    ask: where outcomes take days, a rollout would wait for them."""

    @property
    def questions(self) -> int:
        """Questions among which `FALSE_STOPS` is divided in each step."""
        return QUESTIONS + (self.loss is not None)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One named thing that must hold, with what was measured."""

    name: str
    status: Status
    """`met`, `unmet` (wait), or `violated` (abort)."""
    value: float | None
    """What was measured; None when there is nothing to measure yet."""
    limit: float
    chance: float | None = None
    """Bound on the chance of so much evidence, were the arms alike; None where none is compared."""
    why: str

    def __repr__(self) -> str:
        """One line, for example `score_shift met: 0.03 (limit 0.75)`."""
        shown = "no data" if self.value is None else f"{self.value:.4g}"
        return f"{self.name} {self.status}: {shown} (limit {self.limit:g})"


class Coin(msgspec.Struct, frozen=True, kw_only=True):
    """How a key falls to one of both arms, and how much evidence stops a rollout."""

    chance: float = 0.5
    """The candidate's share of the traffic of both arms."""
    steps: int = 1
    """Steps among which `FALSE_STOPS` is divided."""
    questions: int = QUESTIONS

    @property
    def needed(self) -> float:
        """Logarithm of the evidence that is needed."""
        return math.log(self.steps * self.questions / FALSE_STOPS)


def hard_error_share(guards: Guards, measured: Measurements) -> Condition:
    """Judge failed requests of the candidate, whatever the baseline does."""
    new = measured.candidate
    return _own_share("hard_error_share", new.errors, new, guards.hard_error_share)


def hard_null_share(guards: Guards, measured: Measurements) -> Condition:
    """Judge requests of the candidate without a score, whatever the baseline does."""
    new = measured.candidate
    return _own_share("hard_null_share", new.nulls, new, guards.hard_null_share)


def hard_slow_share(guards: Guards, measured: Measurements) -> Condition:
    """Judge requests of the candidate that nobody waits for, whatever the baseline does."""
    new = measured.candidate
    return _own_share("hard_slow_share", new.stuck, new, guards.hard_slow_share)


def missing_share(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare how many keys each arm answered with how many the coin gave it."""
    old, new = measured.baseline.keys, measured.candidate.keys
    due = old * coin.chance / (1 - coin.chance)
    missing = max(1 - new / due, 0.0) if due else None
    evidence = log_more(old, new, 1 - coin.chance)
    return _compared("missing_share", missing, guards.missing_share, evidence, coin)


def error_share(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the shares of failed requests."""
    old, new = measured.baseline, measured.candidate
    excess = _excess(new.errors, new, old.errors, old)
    evidence = log_more(new.error_keys, old.error_keys, coin.chance)
    return _compared("error_share", excess, guards.error_share, evidence, coin)


def null_share(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the shares of requests without a score."""
    old, new = measured.baseline, measured.candidate
    excess = _excess(new.nulls, new, old.nulls, old)
    evidence = log_more(new.null_keys, old.null_keys, coin.chance)
    return _compared("null_share", excess, guards.null_share, evidence, coin)


def latency_p50(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the medians of latency, a request the unit."""
    old, new = measured.baseline.latency_p50_us, measured.candidate.latency_p50_us
    return _slower("latency_p50_ratio", new, old, guards, measured, coin)


def latency_p99(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the 99th percentiles of latency, a request the unit."""
    old, new = measured.baseline.latency_p99_us, measured.candidate.latency_p99_us
    return _slower("latency_p99_ratio", new, old, guards, measured, coin)


def score_shift(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the mean scores, in standard deviations."""
    name, limit = "score_shift", guards.score_shift
    old, new = measured.baseline, measured.candidate
    if old.scored < 2 or new.scored < 2:
        return _no_data(name, limit)
    spread = max(math.sqrt((old.score_sd**2 + new.score_sd**2) / 2), 1e-12)
    shift = abs(new.score_mean - old.score_mean) / spread
    error = math.sqrt(1 / old.scored + 1 / new.scored)
    clear = shift - SHIFT_SIGMAS * error > TOLERATED_SHIFT * limit
    return _compared(name, shift, limit, _scores_differ(measured, coin), coin, clear=clear)


def score_psi(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the arms' scores by population stability index, above its noise floor."""
    name, limit = "score_psi", guards.score_psi
    old, new = measured.baseline_scores, measured.candidate_scores
    if old is None or new is None or not old.total or not new.total:
        return _no_data(name, limit)
    index = psi(old, new)
    excess = max(index - psi_noise_floor(old, new), 0.0)
    # The delta method: an index varies with four times itself, over the rows.
    error = 2 * math.sqrt(index * (1 / old.total + 1 / new.total))
    clear = excess - SHIFT_SIGMAS * error > TOLERATED_SHIFT * limit
    return _compared(name, excess, limit, _scores_differ(measured, coin), coin, clear=clear)


def loss(guards: Guards, measured: Measurements, coin: Coin) -> Condition:
    """Compare the mean losses of predictions whose outcome has come."""
    limit = 0.0 if guards.loss is None else guards.loss
    old, new = measured.baseline, measured.candidate
    if min(old.labelled, new.labelled) < LEAST_OUTCOMES:
        return _no_data("loss", limit)
    worse = new.loss_mean - old.loss_mean
    error = math.sqrt(old.loss_sd**2 / old.labelled + new.loss_sd**2 / new.labelled)
    evidence = _differ(measured.baseline_losses, measured.candidate_losses, coin)
    return _compared("loss", worse, limit, evidence, coin, clear=worse > SHIFT_SIGMAS * error)


HARD: tuple[Callable[[Guards, Measurements], Condition], ...] = (
    hard_error_share,
    hard_null_share,
    hard_slow_share,
)
"""Guards on the candidate alone, in the order in which conditions are shown."""

COMPARING: tuple[Callable[[Guards, Measurements, Coin], Condition], ...] = (
    missing_share,
    error_share,
    null_share,
    latency_p50,
    latency_p99,
    score_shift,
    score_psi,
)
"""Guards on the candidate beside its baseline, in the order in which conditions are shown."""


def _own_share(name: str, events: int, arm: ArmMeasurement, limit: float) -> Condition:
    if not arm.requests:
        return _no_data(name, limit)
    share = events / arm.requests
    evidence = log_above(events, arm.requests, limit) if limit < 1 else 0.0
    return _judged(name, share, limit, evidence, -math.log(FALSE_HARD_STOPS))


def _excess(more: int, new: ArmMeasurement, fewer: int, old: ArmMeasurement) -> float | None:
    if not new.requests or not old.requests:
        return None
    return more / new.requests - fewer / old.requests


def _slower(
    name: str, new_us: float, old_us: float, guards: Guards, measured: Measurements, coin: Coin
) -> Condition:
    limit = guards.latency_ratio
    if not measured.baseline.requests or not measured.candidate.requests:
        return _no_data(name, limit)
    base_us = max(old_us, guards.latency_floor_us)
    place = limit_above(limit * base_us)
    # A bet on every limit, evenly: the one that is read may then be chosen as one likes.
    evidence = log_more(
        measured.candidate.slower[place], measured.baseline.slower[place], coin.chance
    ) - math.log(len(LATENCY_LIMITS_US))
    return _compared(name, new_us / base_us, limit, evidence, coin)


def _scores_differ(measured: Measurements, coin: Coin) -> float:
    return _differ(measured.baseline_scores, measured.candidate_scores, coin)


def _differ(old: Distribution | None, new: Distribution | None, coin: Coin) -> float:
    if old is None or new is None:
        return 0.0
    return log_differs(new.counts, old.counts, coin.chance)


def _compared(
    name: str,
    value: float | None,
    limit: float,
    evidence: float,
    coin: Coin,
    *,
    clear: bool = True,
) -> Condition:
    if value is None:
        return _no_data(name, limit)
    return _judged(name, value, limit, evidence, coin.needed, clear=clear)


def _judged(
    name: str, value: float, limit: float, evidence: float, needed: float, *, clear: bool = True
) -> Condition:
    chance = min(1.0, math.exp(-evidence)) if evidence > -700 else 1.0
    status: Status = "unmet"
    said = f"above {limit:g}, which may be chance"
    if value <= limit:
        status, said = "met", f"within {limit:g}"
    elif clear and evidence >= needed:
        status, said = "violated", f"above {limit:g}, more than chance explains"
    why = f"{name} is {value:.4g}, {said}"
    return Condition(name=name, status=status, value=value, limit=limit, chance=chance, why=why)


def _no_data(name: str, limit: float) -> Condition:
    why = f"{name} has no data yet"
    return Condition(name=name, status="unmet", value=None, limit=limit, why=why)
