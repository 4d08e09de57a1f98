"""What the scorer counts: plain integers and fixed histogram buckets, as Prometheus text."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BUCKETS_US = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000)
"""Upper bounds in microseconds, inclusive: the promise is 250, the worst planned 10 000."""

_BUCKETS_NS = tuple(each * 1_000 for each in BUCKETS_US)

_REFUSED = 400

_MOST_TIMES, _FIRST_NS = 4, 100_000
"""What one batch may show at most: four times what is known, and 100 microseconds."""

_FAMILIES: Final = {
    "tondo_requests_total": ("counter", "Requests answered, by status."),
    "tondo_predictions_total": ("counter", "Rows scored."),
    "tondo_shed_total": ("counter", "Requests refused because they would have waited too long."),
    "tondo_request_seconds": (
        "histogram",
        "Time in the handler, from the whole body to the reply.",
    ),
}
"""Name of each family of samples, none the beginning of another's, to its type and help."""

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

Labels = tuple[tuple[str, str], ...]


class VariantCounts:
    """What one variant answered under one route."""

    __slots__ = ("buckets", "predictions", "seconds_ns", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.predictions = 0
        self.seconds_ns = 0
        self.buckets = [0] * (len(_BUCKETS_NS) + 1)

    def lines(self, labels: Labels) -> Iterator[str]:
        """Yield the samples."""
        for status, number in sorted(self.statuses.items()):
            yield _sample("tondo_requests_total", (*labels, ("status", str(status))), number)
        yield _sample("tondo_predictions_total", labels, self.predictions)
        total = 0
        for bound, number in zip((*BUCKETS_US, None), self.buckets, strict=True):
            total += number
            limit = "+Inf" if bound is None else f"{bound / 1e6:g}"
            yield _sample("tondo_request_seconds_bucket", (*labels, ("le", limit)), total)
        yield _sample("tondo_request_seconds_sum", labels, self.seconds_ns / 1e9)
        yield _sample("tondo_request_seconds_count", labels, total)


class RouteMetrics:
    """Counts of one route by variant: statuses, predictions, and the time in the handler.

    The variant is empty where a request was refused before one was chosen, and `several` where
    its rows were dealt to more than one.
    """

    __slots__ = ("cost_ns", "labels", "last", "shed", "variants")

    def __init__(self, **labels: str) -> None:
        self.labels: Labels = tuple(labels.items())
        self.variants: dict[str, VariantCounts] = {}
        self.shed = 0
        """Requests that were refused because they would have waited for too long."""
        self.cost_ns = 0
        """What one request costs of late: follows what is less by a quarter of the way with each
        batch, what is more by a sixteenth and to a few times as much at most, so that a
        process that had to wait for a processor is not taken for a slow model."""
        self.last = ""
        """Variant that was counted last."""

    def count(
        self,
        statuses: Sequence[int],
        elapsed_ns: int,
        predictions: int = 0,
        variant: str = "",
        *,
        aside: bool = False,
    ) -> None:
        """Count requests that were answered together; each waited `elapsed_ns`.

        What was answered `aside`, in another thread, costs the event loop nothing.
        """
        counts = self.variants.get(variant)
        if counts is None:
            counts = self.variants[variant] = VariantCounts()
        self.last = variant
        number = len(statuses)
        for status in {*statuses}:
            counts.statuses[status] = counts.statuses.get(status, 0) + statuses.count(status)
        counts.predictions += predictions
        counts.seconds_ns += elapsed_ns * number
        counts.buckets[bisect_left(_BUCKETS_NS, elapsed_ns)] += number
        if number and not aside:
            self.spent(elapsed_ns, number)

    def spent(self, elapsed_ns: int, requests: int) -> None:
        """Learn what a request costs the event loop from what several cost together."""
        spent_ns = min(elapsed_ns // requests, _MOST_TIMES * self.cost_ns + _FIRST_NS)
        more_ns = spent_ns - self.cost_ns
        self.cost_ns += more_ns >> (4 if more_ns > 0 else 2)

    def correct(self, counted: int, status: int) -> None:
        """Count the last request under another status than was `counted`."""
        statuses = self.variants[self.last].statuses
        statuses[counted] -= 1
        statuses[status] = statuses.get(status, 0) + 1

    @property
    def requests(self) -> int:
        """Requests counted."""
        return sum(sum(each.statuses.values()) for each in self.variants.values())

    @property
    def errors(self) -> int:
        """Requests that were refused or failed."""
        return sum(
            number
            for each in self.variants.values()
            for status, number in each.statuses.items()
            if status >= _REFUSED
        )

    @property
    def predictions(self) -> int:
        """Rows answered."""
        return sum(each.predictions for each in self.variants.values())

    def lines(self) -> Iterator[str]:
        """Yield the samples of this route."""
        yield _sample("tondo_shed_total", self.labels, self.shed)
        for variant, counts in sorted(self.variants.items()):
            yield from counts.lines((*self.labels, ("variant", variant)))


class Metrics:
    """All routes; a route keeps its counts when the plan changes."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], RouteMetrics] = {}

    def route(self, deployment: str, protocol: str) -> RouteMetrics:
        """Return the counts of a deployment under a protocol (`rows` or `v2`)."""
        key = (deployment, protocol)
        if key not in self._routes:
            self._routes[key] = RouteMetrics(deployment=deployment, protocol=protocol)
        return self._routes[key]

    def totals(self) -> dict[str, dict[str, int]]:
        """Return requests, predictions and errors by `deployment/protocol`."""
        return {
            f"{deployment}/{protocol}": {
                "requests": route.requests,
                "predictions": route.predictions,
                "shed": route.shed,
                "errors": route.errors,
            }
            for (deployment, protocol), route in sorted(self._routes.items())
        }

    def text(self, gauges: Mapping[str, float]) -> str:
        """Return everything in the Prometheus text format."""
        samples = [line for _, route in sorted(self._routes.items()) for line in route.lines()]
        lines = []
        # The samples of a family stand together: a parser that is strict takes no others.
        for name, (type_, help_) in _FAMILIES.items():
            lines += [f"# HELP {name} {help_}", f"# TYPE {name} {type_}"]
            lines += [line for line in samples if line.startswith(name)]
        for name, value in gauges.items():
            lines.append(f"# TYPE {name} gauge")
            lines.append(_sample(name, (), value))
        return "\n".join(lines) + "\n"


def _sample(name: str, labels: Labels, value: float) -> str:
    number = str(value) if isinstance(value, int) else repr(float(value))
    shown = ",".join(f'{key}="{each.translate(_ESCAPES)}"' for key, each in labels)
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"
