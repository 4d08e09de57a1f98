"""Verbs on what runs now: the scorers, and what each variant does a second."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.live.feed import Feed
    from tondo.workspace.live.values import LiveView, ScorerState

_LONGEST_S = 60.0


class LiveVerbs:
    """What a workspace sees of its scorers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def scorers(self) -> list[ScorerState]:
        """List the scorers that run, with their workers and the plan that each answers from."""
        with closing(self.feed()) as feed:
            return feed.look().scorers

    def rates(self, *, seconds: float = 1.0) -> LiveView:
        """Measure for so many seconds what each variant does: requests, errors, latency."""
        if not 0 < seconds <= _LONGEST_S:
            raise CallerError(
                "TD-LIVE-001",
                f"rates cannot be measured for {seconds:g} seconds",
                expected=f"more than 0 and at most {_LONGEST_S:g} seconds",
                seconds=seconds,
            )
        with closing(self.feed()) as feed:
            feed.look()
            time.sleep(seconds)
            return feed.look()

    def feed(self) -> Feed:
        """Return what looks at the scorers again and again; close it at the end."""
        from tondo.scoring.presence import present_scorers
        from tondo.workspace.live.feed import Feed
        from tondo.workspace.live.scorers import Scorers

        state = self._parts.state
        scorers = Scorers(
            lambda: [each.address for each in present_scorers(state)],
            token=self._parts.settings.token,
        )
        return Feed(scorers, self._parts.clock)
