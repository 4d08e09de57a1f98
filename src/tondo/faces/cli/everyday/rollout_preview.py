"""`tondo rollout preview`: what starting a rollout would do, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show
from tondo.stages.data.display import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tondo.stages.deployment.status import (
        Detects,
        PlannedCondition,
        PlannedStep,
        RolloutPlan,
    )

Pace = Annotated[
    str | None,
    typer.Option(help="Kind of rollout: canary, linear, blue_green or ab; else the project's."),
]


def rollout_preview(
    deployment: Annotated[str, typer.Argument(help="Name of the deployment.")],
    version: Annotated[str, typer.Argument(help="Number, id or tag of the candidate.")] = "newest",
    *,
    pace: Pace = None,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Tell the steps that a rollout would take and what it would find."""
    with opened(project) as workspace:
        plan = workspace.rollouts.preview(deployment, version, pace=pace)
    if json:
        show(plan, as_json=True)
    else:
        show_preview(plan)


def show_preview(plan: RolloutPlan) -> None:
    """Print a plan: its steps, what sends the candidate back, and what is found how soon."""
    console = console_for_output()
    console.print(
        f"[bold]{plan.deployment}: version {plan.current} -> {plan.candidate}, {plan.kind}[/bold]"
    )
    console.print(_shadow(plan))
    show([_step_row(place, each) for place, each in enumerate(plan.steps, start=1)])
    console.print(_end(plan))
    for places, conditions in _alike(plan):
        where = "" if len(places) == len(plan.steps) else f" in step {_listed(places)}"
        console.print(f"\n[bold]It is sent back at once{where} when the candidate[/bold]")
        for each in conditions:
            said = f"  {each.name:<18} {condition_text(each, plan)}"
            console.print(said, soft_wrap=True, markup=False)
    console.print("\n[bold]What the first step finds, after how many of its requests[/bold]")
    show([_found_row(each) for each in plan.detects])


def condition_text(condition: PlannedCondition, plan: RolloutPlan) -> str:
    """Return what violates a condition, in words; by its limit where it has no words here."""
    words = _VIOLATED.get(condition.name)
    return f"is beyond {condition.limit:g}" if words is None else words(condition.limit, plan)


def _shadow(plan: RolloutPlan) -> str:
    if plan.shadow is None:
        return "it was never a shadow here: start asks for --no-shadow"
    return f"it was a shadow; the last report is {plan.shadow}"


def _step_row(place: int, step: PlannedStep) -> dict[str, str]:
    return {
        "step": str(place),
        "candidate": _percent(step.share),
        "baseline": _percent(step.baseline) if step.baseline else "none",
        "at least": seconds(step.min_seconds),
        "answers each": f"{step.min_answers:,}",
        "that is about": f"{step.requests:,} requests",
    }


def _end(plan: RolloutPlan) -> str:
    if plan.kind == "ab":
        return "It ends when somebody promotes or aborts it."
    return "Each next step, and 100 % in the end, comes by itself once every condition is met."


def _alike(plan: RolloutPlan) -> Iterator[tuple[list[int], list[PlannedCondition]]]:
    """Yield the aborting conditions, with the steps that have the very same."""
    found: dict[tuple[PlannedCondition, ...], list[int]] = {}
    for place, step in enumerate(plan.steps, start=1):
        aborting = tuple(each for each in step.conditions if each.aborts)
        found.setdefault(aborting, []).append(place)
    yield from ((places, list(conditions)) for conditions, places in found.items())


def _found_row(found: Detects) -> dict[str, str]:
    count = "let pass" if found.requests is None else f"{found.requests:,}"
    return {"fault": found.fault, "requests": count}


def _listed(places: list[int]) -> str:
    return ", ".join(map(str, places))


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _hard(verb: str) -> Callable[[float, RolloutPlan], str]:
    return lambda limit, _: (
        f"{verb} more than {_percent(limit)} of its requests, whatever the baseline does"
    )


def _beside(verb: str) -> Callable[[float, RolloutPlan], str]:
    return lambda limit, _: f"{verb} {_percent(limit)} of its requests more than the baseline"


def _slower(of: str) -> Callable[[float, RolloutPlan], str]:
    return lambda limit, plan: (
        f"takes {limit:g} times as long as the baseline at the {of}"
        f" (both {plan.guards.latency_floor_us / 1000:g} ms at least)"
    )


_VIOLATED: Mapping[str, Callable[[float, RolloutPlan], str]] = {
    "hard_error_share": _hard("fails"),
    "hard_null_share": _hard("gives no number to"),
    "hard_slow_share": lambda limit, plan: (
        f"takes over {plan.guards.hard_latency_us / 1e6:g} s for more than {_percent(limit)}"
        " of its requests"
    ),
    "missing_share": lambda limit, _: (
        f"owes more than {_percent(limit)} of the answers that its share makes"
    ),
    "error_share": _beside("fails"),
    "null_share": _beside("gives no number to"),
    "latency_p50_ratio": _slower("median"),
    "latency_p99_ratio": _slower("99th percentile"),
    "score_shift": lambda limit, _: (
        f"scores {limit:g} standard deviations off the baseline on average"
    ),
    "score_psi": lambda limit, _: (
        f"spreads its scores otherwise: stability index {limit:g} above its noise"
    ),
    "loss": lambda limit, _: (
        f"is wrong by {limit:g} more than the baseline, mean squared, on known outcomes"
    ),
}
"""Condition to what violates it, from its limit."""
