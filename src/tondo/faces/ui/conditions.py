"""The conditions of a rollout in words: what must hold, what was measured, what the limit is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from tondo.faces.ui.words import count, percent, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.deployment.guards import Condition
    from tondo.stages.deployment.rollout import Rollout

WORDS = {
    "published": "Scorers were told",
    "seconds_at_share": "Time at this share",
    "baseline_answers": "Answers of the baseline",
    "current_answers": "Answers of the current version",
    "candidate_answers": "Answers of the candidate",
    "hard_error_share": "Failed requests",
    "hard_null_share": "Requests without a score",
    "hard_slow_share": "Requests that nobody waits for",
    "error_share": "Failed requests above the baseline's",
    "null_share": "Without a score above the baseline's",
    "latency_p50_ratio": "Median latency beside the baseline's",
    "latency_p99_ratio": "99th percentile of latency beside the baseline's",
    "score_shift": "Shift of the mean score",
    "score_psi": "Change of the scores' distribution",
    "resumed": "Resumed",
    "decision": "Decided by a person",
}
"""Condition to words; one that is not here is shown under its name."""

_AT_LEAST = {"seconds_at_share", "baseline_answers", "candidate_answers", "current_answers"}
_UNITS = {
    "published": "plan {:g}",
    "latency_p50_ratio": "{:.2f} \N{MULTIPLICATION SIGN}",
    "latency_p99_ratio": "{:.2f} \N{MULTIPLICATION SIGN}",
    "score_shift": "{:.2f} sd",
}
_BY_HAND = {"resumed", "decision"}
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
    name, value = each.name, each.value
    waits = name in _AT_LEAST and value is not None and each.limit > 0
    return ConditionView(
        name=name,
        word=WORDS.get(name, name.replace("_", " ")),
        status=each.status,
        sign=_SIGNS[each.status],
        said=_SAID[each.status],
        value="no data yet" if value is None else "" if name in _BY_HAND else _figure(name, value),
        limit=_limit(name, each.limit),
        share=round(min((value or 0.0) / each.limit, 1.0) * 100, 1) if waits else 100.0,
        why=in_words(each.why),
    )


def _limit(name: str, limit: float) -> str:
    if name in _BY_HAND:
        return ""
    if name == "published":
        return f"plan {limit:g}"
    return f"at {'least' if name in _AT_LEAST else 'most'} {_figure(name, limit)}"


def _figure(name: str, value: float) -> str:
    if name == "seconds_at_share":
        return seconds(value)
    if name.endswith("_answers"):
        return count(int(value))
    if name.endswith("_share"):
        return percent(value, 2)
    return _UNITS.get(name, "{:.2f}").format(value)


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


def in_words(text: str) -> str:
    """Return a reason with the words of its conditions in place of their names.

    >>> in_words("score_psi is 6.65, above 1, more than chance explains")
    "change of the scores' distribution is 6.65, above 1, more than chance explains"
    """
    for name, word in WORDS.items():
        text = re.sub(rf"\b{name}\b", word[0].lower() + word[1:], text)
    return text
