"""What the scorer counts: whole numbers and fixed histogram buckets."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from tondo.faces.scorer.cells import Cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.faces.scorer.tally import Tally

BUCKETS_US = (100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000)
"""Upper bounds in microseconds, inclusive: the promise is 250, the worst planned 10 000."""

_BUCKETS_NS = tuple(each * 1_000 for each in BUCKETS_US)

ISOLATED = "isolated"
"""Protocol under which whoever hands requests on counts them, from when they came to when their
answers did; the process that answers counts them under their own, by variant."""

PREDICTIONS, SECONDS_NS, FIRST_BUCKET = 0, 1, 2
"""Places in the counters of a variant; the buckets come last, each for itself."""

_WIDTH = FIRST_BUCKET + len(_BUCKETS_NS) + 1
_REFUSED = 400

_MOST_TIMES, _FIRST_NS = 4, 100_000
"""What one batch may show at most: four times what is known, and 100 microseconds."""


class VariantCounts:
    """What one variant answered under one route."""

    __slots__ = ("cells", "statuses")

    def __init__(self, cells: memoryview) -> None:
        self.cells = cells
        self.statuses: dict[int, memoryview] = {}
        """Those that are counted without looking further."""


class RouteMetrics:
    """Counts of one route by variant: statuses, predictions, and the time in the handler.

    The variant is empty where a request was refused before one was chosen, and `several` where
    its rows were dealt to more than one.
    """

    __slots__ = ("_cells", "_labels", "_owed", "_shed", "cost_ns", "last", "variants")

    def __init__(
        self, deployment: str = "", protocol: str = "", cells: Cells | None = None
    ) -> None:
        self._cells = Cells() if cells is None else cells
        self._labels = deployment, protocol
        self._shed = self._cells.block(("shed", deployment, protocol), 1)
        self._owed: dict[tuple[str, int], int] = {}
        """By how much a variant's status was counted too often."""
        self.variants: dict[str, VariantCounts] = {}
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
        """Count requests that were answered together, one or more; each waited `elapsed_ns`.

        What was answered `aside`, in another thread, costs the event loop nothing.
        """
        counts = self.variants.get(variant) or self._begin(variant)
        self.last = variant
        number = len(statuses)
        known, first = counts.statuses, statuses[0]
        if first in known and statuses.count(first) == number:
            known[first][0] += number
        else:
            self._count_statuses(statuses, variant)
        cells = counts.cells
        cells[PREDICTIONS] += predictions
        cells[SECONDS_NS] += elapsed_ns * number
        cells[FIRST_BUCKET + bisect_left(_BUCKETS_NS, elapsed_ns)] += number
        if not aside:
            self.spent(elapsed_ns, number)

    def spent(self, elapsed_ns: int, requests: int) -> None:
        """Learn what a request costs the event loop from what several cost together."""
        spent_ns = min(elapsed_ns // requests, _MOST_TIMES * self.cost_ns + _FIRST_NS)
        more_ns = spent_ns - self.cost_ns
        self.cost_ns += more_ns >> (4 if more_ns > 0 else 2)

    def count_shed(self, number: int = 1) -> None:
        """Count requests that were refused because they would have waited for too long."""
        self._shed[0] += number

    def correct(self, counted: int, status: int) -> None:
        """Count the last request under another status than was `counted`.

        A counter that falls would be taken for one begun anew: what was counted too much is left
        out of what comes next.
        """
        owed = self._owed
        owed[self.last, counted] = owed.get((self.last, counted), 0) + 1
        self.variants[self.last].statuses.pop(counted, None)
        self._count_statuses([status], self.last)

    @property
    def shed(self) -> int:
        """Requests of this process that were refused because they would have waited too long."""
        return int(self._shed[0])

    @property
    def predictions(self) -> int:
        """Rows answered."""
        return sum(each.cells[PREDICTIONS] for each in self.variants.values())

    def _begin(self, variant: str) -> VariantCounts:
        cells = self._cells.block(("variant", *self._labels, variant), _WIDTH)
        self.variants[variant] = VariantCounts(cells)
        return self.variants[variant]

    def _count_statuses(self, statuses: Sequence[int], variant: str) -> None:
        for status in statuses:
            key = ("status", *self._labels, variant, str(status))
            cell = self._cells.block(key, 1)
            owed = self._owed.get((variant, status), 0)
            if owed:
                self._owed[variant, status] = owed - 1
            else:
                cell[0] += 1
                self.variants[variant].statuses[status] = cell


class Metrics:
    """All routes; a route keeps its counts when the plan changes.

    `counted_by_all` returns the counts of this process and of others that answer as one with it.
    """

    def __init__(
        self, cells: Cells | None = None, counted_by_all: Callable[[], Tally] | None = None
    ) -> None:
        self._cells = Cells() if cells is None else cells
        self._counted_by_all = counted_by_all
        self._routes: dict[tuple[str, str], RouteMetrics] = {}

    def route(self, deployment: str, protocol: str) -> RouteMetrics:
        """Return the counts of a deployment under a protocol (`rows` or `v2`)."""
        key = (deployment, protocol)
        if key not in self._routes:
            self._routes[key] = RouteMetrics(deployment, protocol, self._cells)
        return self._routes[key]

    def tally(self) -> Tally:
        """Return what was counted, by all that answer as one."""
        return dict(self._cells.read()) if self._counted_by_all is None else self._counted_by_all()


def totals(tally: Tally) -> dict[str, dict[str, int]]:
    """Return requests, predictions, shed requests and errors by `deployment/protocol`."""
    found: dict[str, dict[str, int]] = {}
    for (kind, deployment, protocol, *rest), values in sorted(tally.items()):
        zeros = {"requests": 0, "predictions": 0, "shed": 0, "errors": 0}
        total = found.setdefault(f"{deployment}/{protocol}", zeros)
        if kind == "shed":
            total["shed"] += values[0]
        elif kind == "variant":
            total["predictions"] += values[PREDICTIONS]
        else:
            total["requests"] += values[0]
            total["errors"] += values[0] if int(rest[-1]) >= _REFUSED else 0
    return found
