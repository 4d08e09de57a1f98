"""What may stop a rollout: each guard turns measurements into one named condition.

Every guard asks for an effect beyond its limit AND for surprise: the difference must be one that
chance alone would show less than once in ten thousand looks, so that a rollout of a version
against itself is aborted in at most 2 % of cases however often somebody looks. An effect beyond
the limit without surprise neither aborts nor promotes: it waits for more answers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from tondo.scoring.baseline import Distribution, psi, psi_noise_floor, used_cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.stages.deployment.measure import Measurements

Status = Literal["met", "unmet", "violated"]

SURPRISE = 1e-4
"""One false stop in ten thousand looks a guard."""

SIGMAS = 3.719
"""The one-sided normal quantile of SURPRISE."""

HARD_AFTER = 20
"""Rows after which an arm's own share is judged without comparing: 20 % of 20 is four failures."""


class Guards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits on what a candidate may do worse than the current version."""

    error_share: float = 0.02
    """Largest share of failed rows above the current arm's."""
    hard_error_share: float = 0.2
    """Largest share of failed rows whatever the current arm does."""
    null_share: float = 0.02
    """Largest share of answers without a score above the current arm's."""
    hard_null_share: float = 0.2
    """Largest share of answers without a score whatever the current arm does."""
    latency_ratio: float = 1.5
    """Largest ratio of the arms' 99th percentiles of latency."""
    latency_floor_us: int = 5_000
    """Latencies below 5 ms count as 5 ms: between models of microseconds a ratio says nothing."""
    score_shift: float = 0.75
    """Largest difference of mean scores, in standard deviations of the scores. A model retrained
    across seasons moves by half of one; a wrong column or unit moves by more than one."""
    score_psi: float = 1.0
    """Largest population stability index between the arms' scores, above its noise floor: a
    doubled spread is about 0.9, scores collapsed to a constant several."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One named thing that must hold, with what was measured."""

    name: str
    status: Status
    """`met`, `unmet` (wait), or `violated` (abort)."""
    value: float | None
    """What was measured; None when there is nothing to measure yet."""
    limit: float
    why: str

    def __repr__(self) -> str:
        """One line, for example `score_shift met: 0.03 (limit 0.75)`."""
        shown = "no data" if self.value is None else f"{self.value:.4g}"
        return f"{self.name} {self.status}: {shown} (limit {self.limit:g})"


def surprise(more: int, rows: int, fewer: int, others: int) -> float:
    """Return the chance of at least `more` of `rows`, were both arms alike (Fisher 1935, exact).

    >>> round(surprise(3, 3, 0, 3), 3)
    0.05
    """
    events, total = more + fewer, rows + others
    log_all = _log_choose(total, events)
    return min(
        1.0,
        math.fsum(
            math.exp(_log_choose(rows, k) + _log_choose(others, events - k) - log_all)
            for k in range(more, min(rows, events) + 1)
            if events - k <= others
        ),
    )


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)


def error_share(guards: Guards, measured: Measurements) -> Condition:
    """Failed rows of the candidate, above the current arm's share."""
    now, new = measured.current, measured.candidate
    return _excess_share(
        "error_share",
        (new.errors, new.answers),
        (now.errors, now.answers),
        guards.error_share,
    )


def hard_error_share(guards: Guards, measured: Measurements) -> Condition:
    """Failed rows of the candidate, whatever the current arm does."""
    new = measured.candidate
    return _own_share("hard_error_share", new.errors, new.answers, guards.hard_error_share)


def null_share(guards: Guards, measured: Measurements) -> Condition:
    """Answers without a score, above the current arm's share."""
    now, new = measured.current, measured.candidate
    return _excess_share(
        "null_share", (new.nulls, new.answers), (now.nulls, now.answers), guards.null_share
    )


def hard_null_share(guards: Guards, measured: Measurements) -> Condition:
    """Answers without a score, whatever the current arm does."""
    new = measured.candidate
    return _own_share("hard_null_share", new.nulls, new.answers, guards.hard_null_share)


def latency_p99(guards: Guards, measured: Measurements) -> Condition:
    """Ratio of the 99th percentiles of latency, a request the unit."""
    name, limit = "latency_p99_ratio", guards.latency_ratio
    now, new = measured.current, measured.candidate
    if not now.requests or not new.requests:
        return _no_data(name, limit)
    ratio = new.latency_p99_us / max(now.latency_p99_us, guards.latency_floor_us)
    chance = surprise(new.slow, new.requests, now.slow, now.requests)
    return _condition(name, ratio, limit, surprising=chance < SURPRISE)


def score_shift(guards: Guards, measured: Measurements) -> Condition:
    """Difference of mean scores in standard deviations, with its standard error."""
    name, limit = "score_shift", guards.score_shift
    now, new = measured.current, measured.candidate
    if now.scored < 2 or new.scored < 2:
        return _no_data(name, limit)
    spread = max(math.sqrt((now.score_sd**2 + new.score_sd**2) / 2), 1e-12)
    shift = abs(new.score_mean - now.score_mean) / spread
    error = math.sqrt(1 / now.scored + 1 / new.scored)
    return _condition(name, shift, limit, surprising=shift > SIGMAS * error)


def score_psi(guards: Guards, measured: Measurements) -> Condition:
    """Compare the arms' scores by population stability index, above its noise floor."""
    name, limit = "score_psi", guards.score_psi
    now, new = measured.current_scores, measured.candidate_scores
    if now is None or new is None or not sum(now.counts) or not sum(new.counts):
        return _no_data(name, limit)
    index = psi(now, new)
    excess = max(index - psi_noise_floor(now, new), 0.0)
    return _condition(name, excess, limit, surprising=_psi_sigmas(now, new, index) > SIGMAS)


def _psi_sigmas(now: Distribution, new: Distribution, index: float) -> float:
    # When nothing moved, PSI / (1/n + 1/m) is chi-square with bins - 1 degrees of freedom; its
    # cube root is nearly normal (Wilson and Hilferty 1931).
    degrees = len(used_cells(now, new)[0]) - 1
    if degrees < 1:
        return 0.0
    statistic = index / (1 / now.total + 1 / new.total)
    noise = 2 / (9 * degrees)
    return (math.cbrt(statistic / degrees) - (1 - noise)) / math.sqrt(noise)


GUARDS: tuple[Callable[[Guards, Measurements], Condition], ...] = (
    hard_error_share,
    hard_null_share,
    error_share,
    null_share,
    latency_p99,
    score_shift,
    score_psi,
)
"""Every guard, in the order in which conditions are shown."""


def _excess_share(name: str, new: tuple[int, int], now: tuple[int, int], limit: float) -> Condition:
    if not new[1] or not now[1]:
        return _no_data(name, limit)
    excess = new[0] / new[1] - now[0] / now[1]
    return _condition(name, excess, limit, surprising=surprise(*new, *now) < SURPRISE)


def _own_share(name: str, events: int, rows: int, limit: float) -> Condition:
    if not rows:
        return _no_data(name, limit)
    return _condition(name, events / rows, limit, surprising=rows >= HARD_AFTER)


def _condition(name: str, value: float, limit: float, *, surprising: bool) -> Condition:
    if value <= limit:
        status: Status = "met"
        why = f"{name} is {value:.4g}, within {limit:g}"
    elif surprising:
        status = "violated"
        why = f"{name} is {value:.4g}, above {limit:g}, more than chance explains"
    else:
        status = "unmet"
        why = f"{name} is {value:.4g}, above {limit:g}, which may be chance"
    return Condition(name=name, status=status, value=value, limit=limit, why=why)


def _no_data(name: str, limit: float) -> Condition:
    why = f"{name} has no data yet"
    return Condition(name=name, status="unmet", value=None, limit=limit, why=why)
