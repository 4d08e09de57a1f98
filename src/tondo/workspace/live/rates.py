"""From counters to rates: what happened between two looks, and quantiles of it.

Counters only grow while a scorer runs. One that was not there in the first look is left out of the
difference: what it counted before belongs to no known time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tondo.workspace.live.values import ALL_VARIANTS, VariantRate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tondo.workspace.live.exposition import Sample

Arm = tuple[str, str]
"""Deployment and variant."""

_TOTALS = ("tondo_requests_total", "tondo_handed_on_total")
_BUCKETS = ("tondo_request_seconds_bucket", "tondo_handed_on_seconds_bucket")
_HANDED_ON = "tondo_handed_on_"
_COUNTED = ("requests", "errors", "refused", "shed")
_SERVER_FAULT = 500
_CALLER_FAULT = 400


class Counts(msgspec.Struct, kw_only=True):
    """What was counted of one variant; filled in while a text is read."""

    requests: int = 0
    errors: int = 0
    refused: int = 0
    shed: int = 0
    """Refused because they would have waited too long; not among the requests."""
    buckets: dict[float, int] = msgspec.field(default_factory=dict)
    """Upper bound in seconds to requests at or below it: cumulative, as Prometheus has it."""

    def __add__(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            refused=self.refused + other.refused,
            shed=self.shed + other.shed,
            buckets=_added(self.buckets, other.buckets),
        )

    def since(self, before: Counts) -> Counts:
        """Return what came after `before`; what shrank was begun anew and counts whole."""
        if self.requests < before.requests or self.shed < before.shed:
            return self
        return Counts(
            requests=self.requests - before.requests,
            errors=max(self.errors - before.errors, 0),
            refused=max(self.refused - before.refused, 0),
            shed=self.shed - before.shed,
            buckets=_added(self.buckets, before.buckets, times=-1),
        )


Counted = dict[Arm, Counts]


class Reading(NamedTuple):
    """What one scorer had counted."""

    at_s: float
    """When it said so, in seconds of the monotonic clock: scorers answer a look at their pace."""
    arms: Counted


Look = dict[str, Reading]
"""What every scorer, by its address, had counted when it was last looked at."""


def counted(found: Iterable[Sample]) -> Counted:
    """Return the counts of each variant, over all protocols, that samples tell."""
    arms: Counted = {}
    for name, labels, value in found:
        if "deployment" not in labels or not math.isfinite(value):
            continue
        variant = ALL_VARIANTS if name.startswith(_HANDED_ON) else labels.get("variant", "")
        arm = arms.setdefault((labels["deployment"], variant), Counts())
        if name in _TOTALS:
            _count(arm, labels.get("status", ""), int(value))
        elif name == "tondo_shed_total":
            arm.shed += int(value)
        elif name in _BUCKETS:
            bound = _bound(labels.get("le", ""))
            arm.buckets[bound] = arm.buckets.get(bound, 0) + int(value)
    return arms


def _added(
    one: Mapping[float, int], other: Mapping[float, int], times: int = 1
) -> dict[float, int]:
    """Return both together; a bound that was not reached stays, since quantiles lie above it."""
    bounds = one.keys() | other.keys()
    return {each: max(one.get(each, 0) + times * other.get(each, 0), 0) for each in bounds}


def _count(arm: Counts, status: str, number: int) -> None:
    arm.requests += number
    code = int(status) if status.isdigit() else 0
    if code >= _SERVER_FAULT:
        arm.errors += number
    elif code >= _CALLER_FAULT:
        arm.refused += number


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.inf


def rates(now: Look, before: Look | None, longer: Look | None) -> list[VariantRate]:
    """Return what each variant did a second since `before`, and in all.

    Latencies are of what came since `longer`, an earlier look: the 99th percentile of one quiet
    second is the time of one request.
    """
    lately = {} if longer is None else _came(now, longer)
    return [
        VariantRate(
            deployment=arm[0],
            variant=arm[1],
            requests=total.requests,
            errors=total.errors,
            refused=total.refused,
            shed=total.shed,
            p50_us=_micros(quantile(lately.get(arm, Counts()).buckets, 0.5)),
            p99_us=_micros(quantile(lately.get(arm, Counts()).buckets, 0.99)),
            **({} if before is None else _a_second(arm, now, before)),
        )
        for arm, total in sorted(_totals(now).items())
    ]


def _a_second(arm: Arm, now: Look, before: Look) -> dict[str, float]:
    """Return an arm's rates: of each scorer over its own time between the two looks, summed."""
    found = dict.fromkeys((f"{each}_s" for each in _COUNTED), 0.0)
    for address in now.keys() & before.keys():
        seconds = now[address].at_s - before[address].at_s
        if seconds > 0:
            came = _since(arm, now[address], before[address])
            for each in _COUNTED:
                found[f"{each}_s"] += getattr(came, each) / seconds
    return found


def _totals(now: Look) -> Counted:
    found: Counted = {}
    for reading in now.values():
        for arm, counts in reading.arms.items():
            found[arm] = found.get(arm, Counts()) + counts
    return found


def _came(now: Look, before: Look) -> Counted:
    """Return what came since an earlier look, of scorers that were there in both."""
    found: Counted = {}
    for address in now.keys() & before.keys():
        for arm in now[address].arms:
            came = _since(arm, now[address], before[address])
            found[arm] = found.get(arm, Counts()) + came
    return found


def _since(arm: Arm, now: Reading, before: Reading) -> Counts:
    return now.arms.get(arm, Counts()).since(before.arms.get(arm, Counts()))


def quantile(buckets: Mapping[float, int], share: float) -> float | None:
    """Return a quantile of cumulative buckets, seconds; None without any request.

    Within a bucket requests are taken as evenly spread (as Prometheus' histogram_quantile does);
    beyond the last bound the bound itself is returned, since no more is known.

    >>> quantile({0.001: 50, 0.002: 100, math.inf: 100}, 0.75)
    0.0015
    """
    total = max(buckets.values(), default=0)
    if not total:
        return None
    wanted = share * total
    low, below = 0.0, 0
    for bound, reached in sorted(buckets.items()):
        if reached >= wanted:
            if math.isinf(bound) or reached == below:
                return low
            return low + (bound - low) * (wanted - below) / (reached - below)
        low, below = bound, reached
    return low


def _micros(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e6
