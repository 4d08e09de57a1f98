"""The consumers that are wished, at work side by side in one process."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING, Self

from tondo.core.errors import TondoError
from tondo.stages.serving.shadow import Shadow, shadows
from tondo.stages.serving.stream import Stream, streams
from tondo.workspace.consuming.shadows import ShadowRun, report
from tondo.workspace.consuming.streams import StreamRun

if TYPE_CHECKING:
    from types import TracebackType

    from tondo.workspace.bootstrap import Parts

_log = logging.getLogger("tondo.consumer")

STEP_REQUESTS = 256
"""Requests that one consumer scores before the next has its turn."""
REPORT_S = 60.0
"""How old a shadow's report may be while it scores: who watches it looks every few minutes."""
RETRY_S = 10.0
"""After a failure; what failed may be mended meanwhile."""


class Runs:
    """Follows what is wished: opens, steps and closes consumers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: dict[str, ShadowRun | StreamRun] = {}
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
                done = run.step(most=STEP_REQUESTS)
            except TondoError as error:
                self._put_off(key, error)
                continue
            if done.requests:
                busy = True
                self._unreported.add(key)
            if isinstance(run, ShadowRun):
                self._report(key, run)
        return busy

    def close(self) -> None:
        """Close all."""
        for key in list(self._open):
            self._close(key)

    def _try_open(self, key: str, wished: Shadow | Stream) -> None:
        try:
            if isinstance(wished, Shadow):
                self._open[key] = ShadowRun(self._parts, wished)
            else:
                self._open[key] = StreamRun(self._parts, wished.deployment, wished.source)
        except TondoError as error:
            self._put_off(key, error)

    def _put_off(self, key: str, error: TondoError) -> None:
        _log.warning("a consumer is put off for %g s: %s", RETRY_S, error)
        self._retry_at[key] = monotonic() + RETRY_S
        self._close(key)

    def _report(self, key: str, run: ShadowRun) -> None:
        if key in self._unreported and monotonic() >= self._reported.get(key, 0.0) + REPORT_S:
            report(self._parts, run.shadow)
            self._reported[key] = monotonic()
            self._unreported.discard(key)

    def _close(self, key: str) -> None:
        run = self._open.pop(key, None)
        if run is not None:
            run.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def wished_consumers(parts: Parts) -> list[Shadow | Stream]:
    """Return the shadows and the streams that are to run."""
    found: list[Shadow | Stream] = list(shadows(ledger=parts.ledger))
    found += streams(ledger=parts.ledger)
    return [each for each in found if each.running]
