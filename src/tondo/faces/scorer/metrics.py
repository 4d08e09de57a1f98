"""What the scorer counts: plain integers and fixed histogram buckets, as Prometheus text."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BUCKETS_US = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000)
"""Upper bounds in microseconds, inclusive: the promise is 250, the worst planned 10 000."""

_BUCKETS_NS = tuple(each * 1_000 for each in BUCKETS_US)

Labels = tuple[tuple[str, str], ...]


class RouteMetrics:
    """Counts of one route: statuses, predictions, and the time in the handler."""

    __slots__ = ("buckets", "cost_ns", "labels", "predictions", "seconds_ns", "shed", "statuses")

    def __init__(self, **labels: str) -> None:
        self.labels: Labels = tuple(labels.items())
        self.statuses: dict[int, int] = {}
        self.predictions = 0
        self.shed = 0
        """Requests that were refused because they would have waited for too long."""
        self.cost_ns = 0
        """What one request costs of late: moves an eighth of the way with each batch."""
        self.seconds_ns = 0
        self.buckets = [0] * (len(_BUCKETS_NS) + 1)

    def count(
        self,
        statuses: Sequence[int],
        elapsed_ns: int,
        predictions: int = 0,
        *,
        aside: bool = False,
    ) -> None:
        """Count requests that were answered together; each waited `elapsed_ns`.

        What was answered `aside`, in another thread, costs the event loop nothing.
        """
        for status in set(statuses):
            self.statuses[status] = self.statuses.get(status, 0) + statuses.count(status)
        self.predictions += predictions
        if statuses and not aside:
            self.cost_ns += (elapsed_ns // len(statuses) - self.cost_ns) >> 3
        self.seconds_ns += elapsed_ns * len(statuses)
        self.buckets[bisect_left(_BUCKETS_NS, elapsed_ns)] += len(statuses)

    def correct(self, counted: int, status: int) -> None:
        """Count the last request under another status than was `counted`."""
        self.statuses[counted] -= 1
        self.statuses[status] = self.statuses.get(status, 0) + 1

    @property
    def requests(self) -> int:
        """Requests counted."""
        return sum(self.statuses.values())

    def lines(self) -> Iterator[str]:
        """Yield the samples of this route."""
        for status, number in sorted(self.statuses.items()):
            yield _sample("tondo_requests_total", (*self.labels, ("status", str(status))), number)
        yield _sample("tondo_predictions_total", self.labels, self.predictions)
        yield _sample("tondo_shed_total", self.labels, self.shed)
        total = 0
        for bound, number in zip((*BUCKETS_US, None), self.buckets, strict=True):
            total += number
            limit = "+Inf" if bound is None else f"{bound / 1e6:g}"
            yield _sample("tondo_request_seconds_bucket", (*self.labels, ("le", limit)), total)
        yield _sample("tondo_request_seconds_sum", self.labels, self.seconds_ns / 1e9)
        yield _sample("tondo_request_seconds_count", self.labels, total)


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
                "errors": sum(n for status, n in route.statuses.items() if status >= 400),
            }
            for (deployment, protocol), route in sorted(self._routes.items())
        }

    def text(self, gauges: Mapping[str, float]) -> str:
        """Return everything in the Prometheus text format."""
        lines = [
            "# TYPE tondo_requests_total counter",
            "# TYPE tondo_predictions_total counter",
            "# TYPE tondo_shed_total counter",
            "# TYPE tondo_request_seconds histogram",
        ]
        for _, route in sorted(self._routes.items()):
            lines.extend(route.lines())
        for name, value in gauges.items():
            lines.append(f"# TYPE {name} gauge")
            lines.append(_sample(name, (), value))
        return "\n".join(lines) + "\n"


def _sample(name: str, labels: Labels, value: float) -> str:
    number = str(value) if isinstance(value, int) else repr(float(value))
    shown = ",".join(f'{key}="{each}"' for key, each in labels)
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"
