"""What is seen of running scorers, as values. Instants are microseconds since 1970 UTC."""

from __future__ import annotations

import msgspec


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """One process behind a scorer's address."""

    pid: int
    ready: bool
    plan: int | None
    """Number of the serving plan that it answers from."""
    memory_bytes: int
    uptime_s: float
    problem: str = ""
    """Why it refused the newest plan; empty when it did not."""


class ScorerState(msgspec.Struct, frozen=True, kw_only=True):
    """What answers at one address."""

    address: str
    workers: list[WorkerState] = []
    problem: str = ""
    """Why nothing is known of it: it is down, or does not let us look."""


ALL_VARIANTS = "*"
"""In place of a variant: all requests of an isolated deployment, as they were handed on."""


class VariantRate(msgspec.Struct, frozen=True, kw_only=True):
    """What one variant of a deployment does now, over all scorers."""

    deployment: str
    variant: str
    """Empty for requests that reached none. `*` is all of an isolated deployment, with the time
    that its callers wait for: its variants are counted too, by the process that they answer in."""
    requests_s: float | None = None
    """Requests a second; None before two looks."""
    errors_s: float | None = None
    """Of them, answered with a status of 500 or above: the platform's fault or the model's."""
    refused_s: float | None = None
    """Of them, answered with a status of 400 to 499: the caller's to mend."""
    shed_s: float | None = None
    """Requests a second that were refused at once because they would have waited too long; they
    are not among the others, and no variant is chosen for them."""
    p50_us: float | None = None
    """Median time in the handler, from the counts of the histogram's buckets; None without
    requests in the window."""
    p99_us: float | None = None
    requests: int = 0
    """Since the scorers began."""
    errors: int = 0
    refused: int = 0
    shed: int = 0


class LiveView(msgspec.Struct, frozen=True, kw_only=True):
    """One look at all scorers."""

    at_us: int
    scorers: list[ScorerState] = []
    rates: list[VariantRate] = []
