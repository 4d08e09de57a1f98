"""Verbs on what runs now: the scorers, and what each variant does a second."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.errors import CallerError, TondoError

if TYPE_CHECKING:
    from tondo.scoring.presence import Presence
    from tondo.workspace.bootstrap import Parts
    from tondo.workspace.live.asking import TryAnswer
    from tondo.workspace.live.deployments import DeploymentPage
    from tondo.workspace.live.explanation import Explanation
    from tondo.workspace.live.feed import Feed
    from tondo.workspace.live.trying import TryForm
    from tondo.workspace.live.values import LiveView, ScorerState
    from tondo.workspace.verbs.rollouts import RolloutVerbs

_LONGEST_S = 60.0


class LiveVerbs:
    """What a workspace sees of its scorers."""

    def __init__(self, parts: Parts, rollouts: RolloutVerbs) -> None:
        self._parts = parts
        self._rollouts = rollouts

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

    def deployment(self, deployment: str) -> DeploymentPage:
        """Return who answers, what is tried, what happened and why: what its page shows."""
        from tondo.workspace.live.deployments import deployment_page

        return deployment_page(self._parts, deployment, rollouts=self._rollouts)

    def try_form(self, deployment: str) -> TryForm:
        """Return what a deployment may be asked, with a row of its training to begin with."""
        from tondo.workspace.live.trying import try_form

        return try_form(self._parts, deployment)

    def try_row(
        self, deployment: str, row: dict[str, Any], *, as_of: str | None = None
    ) -> TryAnswer:
        """Ask a running scorer for one row, under the purpose `try`, and say why it answered so."""
        from tondo.workspace.live.asking import ask_scorer

        answer = ask_scorer(
            self._present(), deployment, row, as_of=as_of, token=self._parts.settings.token
        )
        try:
            why = self.explain(deployment, row, as_of=answer.as_of, version=answer.variant)
        except TondoError as error:
            return msgspec.structs.replace(answer, unexplained=f"{error.code}: {error.what}")
        return msgspec.structs.replace(answer, explanation=why)

    def explain(
        self,
        deployment: str,
        row: dict[str, Any],
        *,
        as_of: str | None = None,
        version: str | None = None,
    ) -> Explanation:
        """Say what each feature does to a row's score; nothing is logged."""
        from tondo.core.instants import parse_instant
        from tondo.workspace.live.trying import explain

        as_of_us = None if as_of is None else parse_instant(as_of)
        return explain(self._parts, deployment, row, as_of_us=as_of_us, version=version)

    def feed(self) -> Feed:
        """Return what looks at the scorers again and again; close it at the end."""
        from tondo.workspace.live.feed import Feed
        from tondo.workspace.live.scorers import Scorers

        scorers = Scorers(self._present, token=self._parts.settings.token)
        return Feed(scorers, self._parts.clock)

    def _present(self) -> list[Presence]:
        from tondo.scoring.presence import present_scorers

        return present_scorers(self._parts.state)
