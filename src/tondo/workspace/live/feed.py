"""One look a second for everybody who watches, and none when nobody does."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tondo.workspace.live.rates import rates
from tondo.workspace.live.values import LiveView

if TYPE_CHECKING:
    from tondo.ports.clock import Clock
    from tondo.workspace.live.rates import Look
    from tondo.workspace.live.scorers import Scorers

LOOK_EVERY_S = 1.0
LATELY = 10
"""Looks over which latencies are taken: ten seconds."""
REMEMBERED = 300
"""Looks that a new viewer is shown: five minutes."""


class Feed:
    """Looks at scorers and remembers what it saw. `look` is for one thread at a time."""

    def __init__(self, scorers: Scorers, clock: Clock) -> None:
        self._scorers = scorers
        self._clock = clock
        self._looks: deque[Look] = deque(maxlen=LATELY + 1)
        self.views: deque[LiveView] = deque(maxlen=REMEMBERED)
        """What was seen, the newest last."""

    def look(self) -> LiveView:
        """Look once; rates are since the look before."""
        states, now = self._scorers.look()
        before, longer = (self._looks[-1], self._looks[0]) if self._looks else (None, None)
        view = LiveView(
            at_us=self._clock.now_us(),
            scorers=states,
            rates=rates(now, before, longer),
        )
        self._looks.append(now)
        self.views.append(view)
        return view

    def forget(self) -> None:
        """Begin anew: after a pause the counts of before it say nothing of a second."""
        self._looks.clear()
        self.views.clear()

    def close(self) -> None:
        """Let go of all connections."""
        self._scorers.close()
