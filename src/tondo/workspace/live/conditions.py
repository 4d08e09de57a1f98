"""The conditions of a rollout as people read them: words for names, figures with their units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tondo.stages.data.display import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.stages.deployment.guards import Condition
    from tondo.stages.deployment.status import DeploymentStatus

WORDS = {
    "published": "Scorers were told",
    "seconds_at_share": "Time at this share",
    "baseline_answers": "Answers of the baseline",
    "current_answers": "Answers of the current version",
    "candidate_answers": "Answers of the candidate",
    "hard_error_share": "Failed requests",
    "hard_null_share": "Requests without a score",
    "hard_slow_share": "Far too slow requests",
    "missing_share": "Missing answers",
    "error_share": "Failed requests above the baseline's",
    "null_share": "Without a score above the baseline's",
    "latency_p50_ratio": "Median latency beside the baseline's",
    "latency_p99_ratio": "99th percentile of latency beside the baseline's",
    "score_shift": "Shift of the mean score",
    "score_psi": "Change of the scores' distribution",
    "loss": "Loss above the baseline's",
    "resumed": "Resumed",
    "decision": "Decided by a person",
}
"""Condition to words; one that is not here is told under its name."""

AT_LEAST = frozenset(
    {"seconds_at_share", "baseline_answers", "current_answers", "candidate_answers"}
)
"""Conditions that wait for a number to be reached; all others have a most."""

_UNITS = {
    "published": "plan {:g}",
    "latency_p50_ratio": "{:.2f} \N{MULTIPLICATION SIGN}",
    "latency_p99_ratio": "{:.2f} \N{MULTIPLICATION SIGN}",
    "score_shift": "{:.2f} sd",
    "loss": "{:.4g}",
}
_MOST_SHIFT = 100
"""Scores that hardly vary, as of one row asked again and again, move by millions of deviations."""
_MOST_LISTED = 4
_BY_HAND = frozenset({"resumed", "decision"})
_UNDER_WAY = frozenset({"running", "paused"})


def value_of(condition: Condition) -> str:
    """Return what was measured, with its unit; empty where a person decided."""
    if condition.value is None:
        return "no data yet"
    return "" if condition.name in _BY_HAND else _figure(condition.name, condition.value)


def limit_of(condition: Condition) -> str:
    """Return the limit as `at least`, `at most` or `plan`; empty where there is none."""
    name = condition.name
    if name in _BY_HAND:
        return ""
    figure = _figure(name, condition.limit)
    if name == "published":
        return figure
    return f"at {'least' if name in AT_LEAST else 'most'} {figure}"


def _figure(name: str, value: float) -> str:
    if name == "seconds_at_share":
        return seconds(value)
    if name.endswith("_answers"):
        return f"{int(value):,}"
    if name == "score_shift" and value > _MOST_SHIFT:
        return f"over {_MOST_SHIFT} sd"
    if name.endswith("_share"):
        return f"{round(value * 100, 2):g} %"
    return _UNITS.get(name, "{:.2f}").format(value)


def in_words(text: str) -> str:
    """Return a reason with the words of its conditions in place of their names.

    >>> in_words("score_psi is 6.65, above 1, more than chance explains")
    "change of the scores' distribution is 6.65, above 1, more than chance explains"
    """
    for name, word in WORDS.items():
        text = re.sub(rf"\b{name}\b", _lower(word), text)
    return text


def standing(status: DeploymentStatus) -> str:
    """Return in one sentence why a deployment stands as it does: what its rollout waits for."""
    unmet = [each for each in status.conditions if each.status == "unmet"]
    is_violated = any(each.status == "violated" for each in status.conditions)
    if status.phase not in _UNDER_WAY or is_violated or not unmet:
        return in_words(status.reason)
    held = [each.why for each in unmet if each.name in _BY_HAND]
    clauses = (
        ("waits for {}", [each for each in unmet if each.name in AT_LEAST]),
        ("no data yet on {}", [each for each in unmet if each.value is None]),
        ("above the limit, which may be chance: {}", [each for each in unmet if _is_unsure(each)]),
    )
    return "; ".join(held + [said.format(_listed(found)) for said, found in clauses if found])


def _is_unsure(condition: Condition) -> bool:
    told = condition.name in _BY_HAND | AT_LEAST or condition.value is None
    return not told


def _listed(conditions: Sequence[Condition]) -> str:
    """Return the words of conditions as people list them."""
    *most, last = [_lower(WORDS.get(each.name, each.name)) for each in conditions]
    if len(most) >= _MOST_LISTED:
        return f"{len(conditions)} conditions"
    return f"{', '.join(most)} and {last}" if most else last


def _lower(word: str) -> str:
    return word[0].lower() + word[1:]
