"""The deployments that run in processes of their own, seen from a process that takes requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.faces.scorer.forwarding import Forwarder
from tondo.faces.scorer.handing import AwayRoute
from tondo.faces.scorer.metrics import ISOLATED
from tondo.faces.scorer.table import SHAPES
from tondo.faces.scorer.units import references_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tondo.faces.scorer.metrics import Metrics
    from tondo.faces.scorer.pool.members import RunFolder
    from tondo.scoring.plan import PlannedDeployment, ServingPlan


class Isolation:
    """Hands requests on by deployment.

    `run` returns the folder with the processes' sockets.
    """

    def __init__(self, run: Callable[[], RunFolder], metrics: Metrics) -> None:
        self._run = run
        self._metrics = metrics
        self._forwarders: dict[str, Forwarder] = {}

    def follow(self, plan: ServingPlan) -> dict[bytes, AwayRoute]:
        """Return the routes of a plan's isolated deployments; forget those that are no more."""
        isolated = {
            name: each for name, each in plan.deployments.items() if each.isolate == "process"
        }
        for name in set(self._forwarders) - set(isolated):
            self._forwarders.pop(name).close()
        return {
            url.encode(): AwayRoute(url, self.forwarder(name))
            for name, each in isolated.items()
            for url in _urls(each)
        }

    def forwarder(self, name: str) -> Forwarder:
        """Return what hands on to a deployment's process."""
        if name not in self._forwarders:
            metrics = self._metrics.route(name, ISOLATED)
            self._forwarders[name] = Forwarder(name, self._run().socket_of(name), metrics)
        return self._forwarders[name]


def _urls(deployment: PlannedDeployment) -> Iterator[str]:
    """Yield the scoring URLs whose bodies say all that is asked."""
    versions = {
        reference
        for variant in (*deployment.variants, *deployment.addressable)
        for reference in references_of(variant)
    }
    further = ("", *(f"/versions/{each}" for each in sorted(versions)))
    for pattern, handler in SHAPES:
        if not handler.reads_headers:
            yield from (pattern.format(name=deployment.name, version=each) for each in further)
