"""The way of requests that wait: for outside services, for a disk, for a thread of their own."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tondo.core.errors import TondoError
from tondo.scoring.request import ScoreRequest

if TYPE_CHECKING:
    from tondo.faces.scorer.aside import Twins
    from tondo.faces.scorer.route import Route
    from tondo.faces.scorer.service import Service

_OK = 200


async def answer(service: Service, route: Route, body: bytes) -> tuple[int, bytes]:
    """Return status and JSON for a request's body, to be sent at once: its frame is written."""
    route.busy += 1
    try:
        if route.asks:
            status, payload = await _asked(route, body)
        elif route.twins is not None and (route.slow or len(body) > route.most_bytes):
            status, payload = await _aside(service, route, route.twins, body)
        else:
            status, payload = route.answer(body)
        if status == _OK and route.appender is not None:
            return await _written(service, route) or (status, payload)
        return status, payload
    finally:
        route.busy -= 1


async def _aside(service: Service, route: Route, twins: Twins, body: bytes) -> tuple[int, bytes]:
    """Answer in another thread; refuse at once what would wait for one for too long."""
    if not service.threads.admits(route.metrics):
        return route.shed()
    status, payload, frames, counted, elapsed_ns = await service.threads.run(
        route.metrics, twins.answer, body
    )
    if frames and route.appender is not None:
        route.appender.append_many(frames)
    route.used = True
    route.metrics.count([status], elapsed_ns, *counted, aside=True)
    return status, payload


async def _asked(route: Route, body: bytes) -> tuple[int, bytes]:
    """Answer with the values of outside services, which other requests do not wait for."""
    start = time.perf_counter_ns()
    outcome = route.read(body, start)
    if isinstance(outcome, ScoreRequest):
        await asyncio.get_running_loop().run_in_executor(None, route.ask, outcome)
    return route.finish([outcome], start)[0]


async def _written(service: Service, route: Route) -> tuple[int, bytes] | None:
    """Wait until the frame is where the log mode promises; return the answer if it is not."""
    loop = asyncio.get_running_loop()
    written: asyncio.Future[TondoError | None] = loop.create_future()
    service.appenders.batch.when_written(route.appender, written.set_result)
    error = await written
    if error is None and route.synced:
        error = await loop.run_in_executor(None, _sync, route)
    return None if error is None else route.not_written(error)


def _sync(route: Route) -> TondoError | None:
    assert route.appender is not None
    try:
        route.appender.sync()
    except TondoError as error:
        return error
    return None
