"""The loop that advances rollouts: every second it looks at those under way and acts."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from tondo.core.errors import TondoError

if TYPE_CHECKING:
    from types import TracebackType

    from tondo.workspace.facade import Workspace

_log = logging.getLogger("tondo.rollouts")

LOOK_EVERY_S = 1.0
"""A bad candidate answers a second longer than it must, at most; a look costs a few milliseconds
and what a second of log takes to read."""


class RolloutLoop:
    """A thread of the control plane while it is open: `with RolloutLoop(workspace): ...`.

    Several may run, in as many processes: a step is applied once, whoever comes first. Who was
    killed between a step and telling the scorers is made good at the next look of any of them.
    """

    def __init__(self, workspace: Workspace, *, every_s: float = LOOK_EVERY_S) -> None:
        self._workspace = workspace
        self._every_s = every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollouts", daemon=True)

    def look(self) -> None:
        """Advance each rollout under way once; what one meets is no matter of the others."""
        try:
            self._workspace.deployment.reconcile()
        except TondoError as error:
            _log.warning("the scorers were not told the last plan: %s", error)
        rollouts = self._workspace.rollouts
        for deployment in rollouts.running():
            try:
                step = rollouts.advance(deployment)
            except TondoError as error:
                _log.warning("the rollout of '%s' was not advanced: %s", deployment, error)
                continue
            if step is not None and step.action != "wait":
                _log.warning("the rollout of '%s': %r", deployment, step)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End after the look that is under way."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the thread's edge: the next look may do better
                _log.exception("looking at rollouts failed")
