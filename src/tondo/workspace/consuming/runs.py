"""The consumers that are wished, at work side by side in one process."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, ExitStack
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tondo.core.errors import TondoError
from tondo.stages.serving.shadow import Shadow, shadows
from tondo.stages.serving.stream import Stream, streams
from tondo.workspace.consuming.shadows import report, shadow_at_work
from tondo.workspace.consuming.streams import stream_at_work

if TYPE_CHECKING:
    from tondo.stages.serving.consumer import Consumed
    from tondo.workspace.bootstrap import Parts

_log = logging.getLogger("tondo.consumer")

STEP_REQUESTS = 256
"""Requests that one consumer scores before the next has its turn."""
REPORT_S = 60.0
"""How old a shadow's report may be while it scores: who watches it looks every few minutes."""
RETRY_S = 10.0
"""After a failure; what failed may be mended meanwhile."""


class AtWork(Protocol):
    """A consumer at work."""

    def step(self, *, most: int | None = None) -> Consumed:
        """Score what is new, at most `most` requests; say how much."""
        ...


class _Open(NamedTuple):
    wished: Shadow | Stream
    consumer: AtWork
    opened: ExitStack
    """Closes the consumer with all that it holds."""


class Runs:
    """Follows what is wished: opens, steps and closes consumers. Close it in the end."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: dict[str, _Open] = {}
        self._reported: dict[str, float] = {}
        self._unreported: set[str] = set()
        self._retry_at: dict[str, float] = {}

    def follow(self) -> None:
        """Open consumers that are wished and not open, close those wished no longer."""
        wished = {each.id: each for each in wished_consumers(self._parts)}
        for key in [each for each in self._open if each not in wished]:
            self._close(key)
        for key, each in wished.items():
            if key not in self._open and monotonic() >= self._retry_at.get(key, 0.0):
                self._try_open(key, each)

    def step(self) -> bool:
        """Let each consumer do a little; return whether any had something to do."""
        busy = False
        for key, run in list(self._open.items()):
            try:
                done = run.consumer.step(most=STEP_REQUESTS)
            except TondoError as error:
                self._put_off(key, error)
                continue
            if done.requests:
                busy = True
                self._unreported.add(key)
            if isinstance(run.wished, Shadow):
                self._report(key, run.wished)
        return busy

    def close(self) -> None:
        """Close all."""
        for key in list(self._open):
            self._close(key)

    def _try_open(self, key: str, wished: Shadow | Stream) -> None:
        opened = ExitStack()
        try:
            consumer = opened.enter_context(at_work(self._parts, wished))
        except TondoError as error:
            self._put_off(key, error)
        else:
            self._open[key] = _Open(wished, consumer, opened)

    def _put_off(self, key: str, error: TondoError) -> None:
        _log.warning("a consumer is put off for %g s: %s", RETRY_S, error)
        self._retry_at[key] = monotonic() + RETRY_S
        self._close(key)

    def _report(self, key: str, shadow: Shadow) -> None:
        if key in self._unreported and monotonic() >= self._reported.get(key, 0.0) + REPORT_S:
            report(self._parts, shadow)
            self._reported[key] = monotonic()
            self._unreported.discard(key)

    def _close(self, key: str) -> None:
        run = self._open.pop(key, None)
        if run is not None:
            run.opened.close()


def at_work(parts: Parts, wished: Shadow | Stream) -> AbstractContextManager[AtWork]:
    """Return what opens a consumer that is wished, and closes it."""
    if isinstance(wished, Shadow):
        return shadow_at_work(parts, wished)
    return stream_at_work(parts, wished.deployment, wished.source)


def wished_consumers(parts: Parts) -> list[Shadow | Stream]:
    """Return the shadows and the streams that are to run."""
    found: list[Shadow | Stream] = list(shadows(ledger=parts.ledger))
    found += streams(ledger=parts.ledger)
    return [each for each in found if each.running]
