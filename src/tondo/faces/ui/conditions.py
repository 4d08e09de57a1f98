"""A rollout as the page draws it: a line for each condition, a knot for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.workspace.live.conditions import AT_LEAST, WORDS, in_words, limit_of, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.deployment.guards import Condition
    from tondo.stages.deployment.rollout import Rollout

_SIGNS = {"met": "\N{CHECK MARK}", "unmet": "\N{HORIZONTAL ELLIPSIS}", "violated": "\N{BALLOT X}"}
_SAID = {"met": "met", "unmet": "waits", "violated": "violated"}


class ConditionView(msgspec.Struct, frozen=True, kw_only=True):
    """One condition as a line of the page."""

    name: str
    word: str
    status: str
    sign: str
    said: str
    value: str
    limit: str
    """With `at least`, `at most` or `plan` before it; empty where there is no limit."""
    share: float
    """How far a condition that waits for a number has come, in per cent; 100 for all others."""
    why: str


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a rollout on its track."""

    share: float
    state: str
    """`done`, `now`, `next`, or `ended` where it was aborted."""


def condition_views(conditions: Sequence[Condition]) -> list[ConditionView]:
    """Return the conditions in their order."""
    return [_view(each) for each in conditions]


def _view(each: Condition) -> ConditionView:
    waits = each.name in AT_LEAST and each.value is not None and each.limit > 0
    return ConditionView(
        name=each.name,
        word=WORDS.get(each.name, each.name.replace("_", " ")),
        status=each.status,
        sign=_SIGNS[each.status],
        said=_SAID[each.status],
        value=value_of(each),
        limit=limit_of(each),
        share=round(min((each.value or 0.0) / each.limit, 1.0) * 100, 1) if waits else 100.0,
        why=in_words(each.why),
    )


def step_views(rollout: Rollout) -> list[StepView]:
    """Return the steps of a rollout, the whole traffic last, and how far it has come."""
    shares = [*rollout.steps, *(() if rollout.steps[-1] >= 1 else (1.0,))]
    done = len(shares) if rollout.phase == "promoted" else rollout.step
    present = "ended" if rollout.phase == "aborted" else "now"
    return [
        StepView(
            share=share, state="done" if place < done else present if place == done else "next"
        )
        for place, share in enumerate(shares)
    ]
