"""The deployments that run in processes of their own, seen from a process that takes requests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tondo.faces.scorer.admission import overloaded
from tondo.faces.scorer.forwarding import Forwarder
from tondo.faces.scorer.protocols import rows, v2
from tondo.faces.scorer.protocols.bodies import MAX_BODY_BYTES
from tondo.faces.web.status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.core.errors import TondoError
    from tondo.faces.scorer.forwarding import Headers
    from tondo.faces.scorer.metrics import Metrics, RouteMetrics
    from tondo.faces.scorer.pool.members import RunFolder

    _Encode = Callable[[TondoError], bytes]


class FullRoute:
    """Stands for the scoring URLs of a deployment whose process has enough to do.

    It is asked where a `Route` is, refuses at once, and is taken away with the first answer.
    """

    appender = None
    most_bytes = MAX_BODY_BYTES

    def __init__(self, deployment: str, metrics: RouteMetrics, encode_error: _Encode) -> None:
        self.metrics = metrics
        error = overloaded(deployment)
        self._refusal = status_of(error), encode_error(error)

    def answer_all(self, bodies: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Refuse them."""
        self.metrics.shed += len(bodies)
        return [self._refusal] * len(bodies)

    def shed(self) -> tuple[int, bytes]:
        """Refuse one."""
        self.metrics.shed += 1
        return self._refusal


class Isolation:
    """Hands requests on by deployment.

    `run` returns the folder with the processes' sockets.
    """

    def __init__(self, run: Callable[[], RunFolder], metrics: Metrics) -> None:
        self._run = run
        self._metrics = metrics
        self._forwarders: dict[str, Forwarder] = {}
        self._full: dict[str, dict[bytes, FullRoute]] = {}

    def follow(self, names: set[str]) -> None:
        """Forget the deployments that are not among `names`."""
        for name in set(self._forwarders) - names:
            self._forwarders.pop(name).close()

    def forwarder(self, name: str) -> Forwarder:
        """Return what hands on to a deployment's process."""
        if name not in self._forwarders:
            self._forwarders[name] = Forwarder(name, self._run().socket_of(name))
        return self._forwarders[name]

    async def forward(
        self,
        name: str,
        fast: dict[bytes, Any],
        request: tuple[bytes, bytes, Sequence[tuple[bytes, bytes]], bytes],
    ) -> tuple[int, Headers, bytes]:
        """Hand a request on: method, target, headers, body; TD-SCORER-010 when there are enough.

        While there are, `fast` refuses those that follow before anything is made of them.
        """
        forwarder, metrics = self.forwarder(name), self._metrics.route(name, "isolated")
        if forwarder.full:
            metrics.shed += 1
            raise overloaded(name)
        start, status = time.perf_counter_ns(), 503
        forwarder.in_flight += 1
        if forwarder.full:
            fast.update(self._refusing(name, metrics))
        try:
            status, headers, body = await forwarder.forward(*request)
        finally:
            forwarder.in_flight -= 1
            for url in self._refusing(name, metrics):
                fast.pop(url, None)
            metrics.count([status], time.perf_counter_ns() - start, aside=True)
        return status, headers, body

    def _refusing(self, name: str, metrics: RouteMetrics) -> dict[bytes, FullRoute]:
        if name not in self._full:
            urls = {
                f"/v1/deployments/{name}/score": rows.encode_error,
                f"/v2/models/{name}/infer": v2.encode_error,
            }
            self._full[name] = {
                url.encode(): FullRoute(name, metrics, encode) for url, encode in urls.items()
            }
        return self._full[name]
