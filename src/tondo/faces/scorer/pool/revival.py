"""What a member does for the whole: it says that it is well, and starts a supervisor anew."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tondo.faces.scorer.pool.members import Kind, RunFolder

_log = logging.getLogger("tondo.scorer")

_SPARE_S = 2.0
"""A supervisor that was started needs a moment until it is seen."""

ORPHANED_S = 10.0
"""An isolated process that no supervisor cares for ends by then: nobody can ask it any more."""


class Revival:
    """Looks a few times a second whether there is a supervisor.

    `start` starts one; None where this process must not, and then ends when it is orphaned.
    `needed` says whether there must be one at all.
    """

    def __init__(
        self,
        run: RunFolder,
        kind: Kind,
        start: Callable[[], None] | None,
        *,
        needed: Callable[[], bool] = lambda: True,
    ) -> None:
        self._run = run
        self._kind: Kind = kind
        self._start = start
        self._needed = needed
        self._seen_at = time.monotonic()
        self._started_at = -_SPARE_S
        self.others = 0
        """Other workers, as seen by the last look."""

    def look(self) -> bool:
        """Do what is to be done; return False when this process has to end."""
        self._run.beat(self._kind)
        now = time.monotonic()
        workers = self._run.members("worker")
        self.others = len(workers) - 1
        if self._run.members("supervisor") or not self._needed():
            self._seen_at = now
            return True
        if self._start is None:
            return now - self._seen_at < ORPHANED_S
        # The oldest worker acts at once, the others when it does not.
        mine = next((each for each in workers if each.pid == os.getpid()), None)
        place = 0 if mine is None else workers.index(mine)
        if now - self._started_at >= _SPARE_S and now - self._seen_at >= place * _SPARE_S:
            self._started_at = now
            _log.warning("there is no supervisor: another is started")
            self._start()
        return True
