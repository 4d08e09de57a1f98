"""Handing requests on to the process of an isolated model, over a Unix socket.

The process is a scorer of its own: the same URLs, the same shapes, the same log. What is handed on
are bytes, so a request costs this process no more than that.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from tondo.core.errors import PlatformError, TondoError
from tondo.faces.scorer.admission import overloaded
from tondo.faces.scorer.upstream import Answered, Upstream, request_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tondo.faces.scorer.metrics import RouteMetrics
    from tondo.faces.scorer.upstream import Asked

AT_ONCE = 8
"""Requests under way at once to one process, each on a connection of its own. What it finds
together it answers together: eight cost both ends a quarter less each than four, sixteen hardly
less than eight, and their answers take up less than half a millisecond of a turn here."""

MOST_IN_FLIGHT = 32
"""Those, and others that wait here, which costs nothing; what is beyond is refused."""

DEADLINE_S = 30.0
"""As long as a process may be silent before it is started anew."""

_LOOK_S = 1.0
"""How often it is looked for requests that are older."""

_KEPT_S = 50.0
"""A connection that is free for longer is not used again: the process closes it after 75 s."""

_UNAVAILABLE = 503


class Forwarder:
    """Hands requests on to one process; those that wait are asked in their order."""

    def __init__(self, deployment: str, socket: Path, metrics: RouteMetrics) -> None:
        self.metrics = metrics
        self._deployment = deployment
        self._socket = socket
        self._free: list[Upstream] = []
        self._all: set[Upstream] = set()
        self._waiting: deque[Asked] = deque()
        self._connecting: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None
        self._in_flight = 0
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether no further request should be handed on now."""
        return self._in_flight >= MOST_IN_FLIGHT

    def shed(self) -> PlatformError:
        """Count a request that is refused because it is full, and return the refusal."""
        self.metrics.count_shed()
        return overloaded(self._deployment)

    async def forward(
        self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> Answered:
        """Hand a request on and return its answer.

        TD-SCORER-010 when there are enough; TD-SCORER-013 when the process does not run, ends
        meanwhile, or does not answer in time.
        """
        if self.full:
            raise self.shed()
        waiter = _Waiter(request_of(method, target, headers, body), bodiless=method == b"HEAD")
        self.send(waiter)
        return await waiter.outcome

    def send(self, asked: Asked) -> None:
        """Hand a request on; it is told of its answer, or of TD-SCORER-013."""
        asked.began_ns = time.perf_counter_ns()
        self._in_flight += 1
        self._waiting.append(asked)
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(_LOOK_S, self._look_for_old)
        self._pump()

    def _pump(self) -> None:
        """Ask what waits, as far as connections are free."""
        while self._waiting:
            if self._waiting[0].gone:
                self._waiting.popleft()
                self._in_flight -= 1
                continue
            upstream = self._free_one()
            if upstream is None:
                self._connect()
                return
            upstream.ask(self._waiting.popleft())

    def _free_one(self) -> Upstream | None:
        fresh_ns = time.perf_counter_ns() - int(_KEPT_S * 1e9)
        while self._free:
            upstream = self._free.pop()
            if upstream.free_since_ns >= fresh_ns:
                return upstream
            self._all.discard(upstream)
            upstream.close()
        return None

    def _connect(self) -> None:
        """Make further connections, no more than there are requests that wait for one."""
        room = AT_ONCE - len(self._all) - len(self._connecting)
        for _ in range(min(room, len(self._waiting) - len(self._connecting))):
            task = asyncio.get_running_loop().create_task(self._make())
            self._connecting.add(task)

    async def _make(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: Upstream(self), str(self._socket))
        except OSError as error:
            if not self._all:
                self._give_up(error.strerror or type(error).__name__)
        finally:
            self._connecting.remove(asyncio.current_task())  # type: ignore[arg-type]

    def made(self, upstream: Upstream) -> None:
        """Use a connection that has just been made."""
        self._all.add(upstream)
        self._release(upstream)

    def answered(self, upstream: Upstream, asked: Asked, answer: Answered) -> None:
        """Use the connection for the next request, then tell whoever asked."""
        self._ended(asked, answer.status)
        if answer.closes:
            self._all.discard(upstream)
            self._pump()
        else:
            self._release(upstream)
        asked.answered(answer)

    def lost(self, upstream: Upstream, asked: Asked | None, why: str) -> None:
        """Tell whoever asked that the process did not answer; others ask on other connections."""
        self._all.discard(upstream)
        if asked is None:
            self._free.remove(upstream)
        else:
            self._fail(asked, why)
        self._pump()

    def _release(self, upstream: Upstream) -> None:
        upstream.free_since_ns = time.perf_counter_ns()
        self._free.append(upstream)
        if self._waiting:
            self._pump()
        elif self._closed:
            self.close()

    def _ended(self, asked: Asked, status: int) -> None:
        self._in_flight -= 1
        self.metrics.count([status], time.perf_counter_ns() - asked.began_ns, aside=True)

    def _fail(self, asked: Asked, why: str) -> None:
        self._ended(asked, _UNAVAILABLE)
        asked.failed(_away(self._deployment, why))

    def _give_up(self, why: str) -> None:
        """Tell all who wait that there is no process."""
        waiting, self._waiting = self._waiting, deque()
        for asked in waiting:
            self._fail(asked, why)

    def _look_for_old(self) -> None:
        """Give up requests that are older than the deadline, and connections that hold them."""
        oldest_ns = time.perf_counter_ns() - int(DEADLINE_S * 1e9)
        why = f"no answer within {DEADLINE_S:g} s"
        while self._waiting and self._waiting[0].began_ns < oldest_ns:
            self._fail(self._waiting.popleft(), why)
        for upstream in list(self._all):
            if upstream.asked is not None and upstream.asked.began_ns < oldest_ns:
                upstream.end(why)
        self._look = None
        if self._in_flight:
            self._look = asyncio.get_running_loop().call_later(_LOOK_S, self._look_for_old)

    def close(self) -> None:
        """Close the connections that are free now, and the others when they have answered."""
        self._closed = True
        while self._free:
            upstream = self._free.pop()
            self._all.discard(upstream)
            upstream.close()


class _Waiter:
    """A request that a coroutine waits for."""

    began_ns = 0

    def __init__(self, request: bytes, *, bodiless: bool) -> None:
        self.request = request
        self.bodiless = bodiless
        self.outcome: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

    @property
    def gone(self) -> bool:
        """Whether the coroutine was cancelled."""
        return self.outcome.done()

    def answered(self, answer: Answered) -> None:
        """Take the answer."""
        if not self.outcome.done():
            self.outcome.set_result(answer)

    def failed(self, error: TondoError) -> None:
        """Take the failure."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


def _away(deployment: str, why: str) -> PlatformError:
    return PlatformError(
        "TD-SCORER-013",
        f"the process that runs the models of '{deployment}' does not answer: {why}",
        expected="a process that is started anew when it ends",
        fix="Send the request again after a second. Where this lasts, look at GET /v1/status "
        "and into the scorer's log: a model may be damaged, or take more than its memory_mb.",
        deployment=deployment,
    )
