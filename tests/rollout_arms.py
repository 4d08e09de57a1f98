"""Arms of a rollout drawn at random, for tests of what is decided on them."""

from __future__ import annotations

import msgspec
import numpy as np

from tondo.scoring.baseline import count_values, learn_distribution
from tondo.stages.deployment.guards import Guards
from tondo.stages.deployment.measure import LATENCY_LIMITS_US, ArmMeasurement, Measurements


class Arm:
    def __init__(self, count, *, seed, failed=0.0, nulls=0.0, shift=0.0, spread=1.0, slower_us=0):
        generator = np.random.default_rng(seed)
        self.scores = 0.3 + shift * 0.1 + spread * generator.normal(0, 0.1, count)
        kind = generator.random(count)
        self.errors = kind < failed
        self.nulls = (kind >= failed) & (kind < failed + nulls)
        self.latencies = generator.lognormal(5, 0.5, count) + slower_us


def measured(baseline, candidate, *, at_us=0, count=None):
    """Measure arms after their first `count` requests of one row each."""
    old, new = (slice(0, count), slice(0, count))
    bins = None
    if len(baseline.scores[old]) + len(candidate.scores[new]) >= 100:
        first = [arm.scores[:50] for arm in (baseline, candidate)]
        bins = learn_distribution(np.concatenate(first))
    return Measurements(
        at_us=at_us,
        baseline=_measurement(baseline, old),
        candidate=_measurement(candidate, new),
        baseline_scores=bins and count_values(bins, _scores(baseline, old)),
        candidate_scores=bins and count_values(bins, _scores(candidate, new)),
    )


def _scores(arm, cut):
    return arm.scores[cut][~(arm.errors | arm.nulls)[cut]]


def with_losses(found, baseline, candidate):
    """Add losses whose outcomes have come."""
    bins = learn_distribution(np.concatenate([baseline[:50], candidate[:50]]))
    return msgspec.structs.replace(
        found,
        baseline=_labelled(found.baseline, baseline),
        candidate=_labelled(found.candidate, candidate),
        baseline_losses=count_values(bins, baseline),
        candidate_losses=count_values(bins, candidate),
    )


def _labelled(arm, losses):
    return msgspec.structs.replace(
        arm,
        labelled=len(losses),
        loss_mean=float(losses.mean()),
        loss_sd=float(losses.std(ddof=1)),
    )


def _measurement(arm, cut):
    scores, latencies = _scores(arm, cut), arm.latencies[cut]
    errors, nulls = int(arm.errors[cut].sum()), int(arm.nulls[cut].sum())
    ordered = np.sort(latencies)
    return ArmMeasurement(
        answers=len(latencies),
        keys=len(latencies),
        requests=len(latencies),
        errors=errors,
        nulls=nulls,
        error_keys=errors,
        null_keys=nulls,
        scored=len(scores),
        score_mean=float(scores.mean()) if len(scores) else 0.0,
        score_sd=float(scores.std(ddof=1)) if len(scores) > 1 else 0.0,
        latency_p50_us=float(np.quantile(latencies, 0.5)) if len(latencies) else 0.0,
        latency_p99_us=float(np.quantile(latencies, 0.99)) if len(latencies) else 0.0,
        stuck=int((latencies > Guards().hard_latency_us).sum()),
        slower=tuple(
            (len(ordered) - np.searchsorted(ordered, LATENCY_LIMITS_US, side="right")).tolist()
        ),
    )
