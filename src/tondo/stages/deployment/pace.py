"""How fast a rollout goes: canary, linear, blue-green and A/B differ by data alone."""

from __future__ import annotations

import itertools
from typing import Literal

import msgspec

from tondo.core.errors import DefinitionError
from tondo.stages.deployment.guards import Guards

Kind = Literal["canary", "linear", "blue_green", "ab"]

STEPS: dict[Kind, tuple[float, ...]] = {
    "canary": (0.01, 0.05, 0.2, 0.5),
    "linear": tuple(each / 10 for each in range(1, 10)),
    "blue_green": (1.0,),
    "ab": (0.5,),
}
"""Shares of the candidate where the pace names none. After the last comes the whole traffic, but
for A/B, which ends by a decision. A last step of 1 is a bake: all traffic but what is held back to
compare with, and a way back."""

MIN_SECONDS: dict[Kind, float] = {
    "canary": 300.0,
    "linear": 300.0,
    "blue_green": 1800.0,
    "ab": 0.0,
}
"""Seconds a step where the pace says nothing: a leak or a cold cache needs minutes to show."""

MIN_ANSWERS = 1_000
"""Answers that each arm gives at least in a step where the pace says nothing: with so many, five
times as many failures as one in a hundred are found nine times in ten."""

HALF = 0.5
"""From here on the current version has no more than the candidate: all of it is the baseline."""

HELD_BACK = 0.05
"""Share of the traffic that a bake leaves with the version before: 19 of 20 callers have the
candidate, and at 100 requests a second five times the errors, 5 % for 1 %, are found within 100
seconds nine times in ten."""

LEAST_HELD_BACK = 0.01
"""With less than one in a hundred a comparison takes longer than anybody bakes."""


class Pace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast a rollout goes, and what may stop it."""

    kind: Kind = "canary"
    steps: tuple[float, ...] = ()
    """Shares of the candidate, growing; those of the kind where empty."""
    min_seconds: float | None = None
    """Seconds that each step lasts at least; those of the kind when None."""
    min_answers: int = MIN_ANSWERS
    """Answers that each arm gives at least in each step."""
    held_back: float = HELD_BACK
    """Share of the traffic that a step of 1 leaves with the version before; with 0 there is nobody
    to compare with, and hard limits alone hold."""
    guards: Guards = Guards()

    @property
    def shares(self) -> tuple[float, ...]:
        """The candidate's share in each step; TD-DEPLOY-005 when they do not grow.

        >>> Pace(steps=(0.1, 1.0)).shares, Pace(kind="blue_green", held_back=0).shares
        ((0.1, 0.95), (1.0,))
        """
        self._check_held_back()
        *before, last = check_steps(tuple(self.steps) or STEPS[self.kind])
        return check_steps((*before, round(1.0 - self.held_back, 9) if last == 1 else last))

    @property
    def seconds(self) -> float:
        """Seconds that each step lasts at least."""
        return MIN_SECONDS[self.kind] if self.min_seconds is None else self.min_seconds

    def _check_held_back(self) -> None:
        if self.held_back == 0 or LEAST_HELD_BACK <= self.held_back <= HALF:
            return
        raise DefinitionError(
            "TD-DEPLOY-005",
            f"a bake cannot hold {self.held_back:g} of the traffic back",
            expected=f"0, or a share from {LEAST_HELD_BACK:g} to {HALF:g}",
            fix="Leave `held_back` out for one in twenty; with 0 nothing is compared.",
            held_back=self.held_back,
        )


def check_steps(steps: tuple[float, ...]) -> tuple[float, ...]:
    """Return `steps` when they grow from above 0 to at most 1; TD-DEPLOY-005 otherwise.

    >>> check_steps((0.05, 0.5))
    (0.05, 0.5)
    """
    grows = all(a < b for a, b in itertools.pairwise(steps))
    if steps and grows and steps[0] > 0 and steps[-1] <= 1:
        return steps
    raise DefinitionError(
        "TD-DEPLOY-005",
        f"{list(steps)} are no steps of a rollout",
        expected="growing shares above 0 and at most 1, such as [0.05, 0.5]",
        fix="After the last step the candidate gets the whole traffic; a last step of 1 bakes it,"
        " with all but what is held back.",
        steps=list(steps),
    )
