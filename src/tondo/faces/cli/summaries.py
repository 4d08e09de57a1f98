"""What a terminal shows of values whose fields would fill a screen; `--json` has every field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tondo.stages.deployment.rollout import Rollout
    from tondo.stages.deployment.state import DeploymentState
    from tondo.stages.serving.shadow import Shadow
    from tondo.workspace.live.deployments import DeploymentPage, DeploymentRow, VariantRow
    from tondo.workspace.live.streams import StreamRow
    from tondo.workspace.live.values import LiveView, ScorerState, VariantRate

Summary = dict[str, Any]


def summarised(value: Any) -> Any:
    """Return a value made of JSON's types: few words where there is a summary, else every field."""
    if isinstance(value, list | tuple):
        return [summarised(each) for each in value]
    summary = _SUMMARIES.get(type(value).__name__)
    return msgspec.to_builtins(value if summary is None else summary(value), enc_hook=str)


def _deployment_state(state: DeploymentState) -> Summary:
    from tondo.stages.deployment.state import show_shares

    return {
        "deployment": state.name,
        "versions": show_shares(state.desired.variants),
        "purpose": state.desired.purpose,
        "isolated": state.desired.isolate == "process",
        "rollout": "under way" if state.rollout else "",
        "since_us": state.at_us,
        "by": state.by,
        "why": state.why,
    }


def _deployment_page(page: DeploymentPage) -> Summary:
    from tondo.workspace.live.conditions import standing

    row: DeploymentRow = page.deployment
    return {
        "deployment": row.name,
        "description": row.description,
        "owner": row.owner,
        **page.facts,
        "serving plan": page.plan,
        "stands": standing(page.status),
        "variants": [_variant_row(each) for each in row.variants],
        "streams": [_stream_row(each) for each in page.streams],
        "history": page.history,
    }


def _variant_row(variant: VariantRow) -> Summary:
    return {
        "variant": variant.name,
        "model": variant.model,
        "version": variant.version,
        "share": _percent(variant.weight),
        "tag": ", ".join(variant.tags),
        "accepted AUC": variant.auc,
        "algorithm": variant.algorithm,
        "registered_at_us": variant.registered_at_us,
    }


def _stream_row(stream: StreamRow) -> Summary:
    seen = stream.figures
    return {
        "source": stream.source,
        "state": "running" if stream.running else "stopped",
        "answers in a minute": seen.answers,
        "failed": seen.failed,
        "dead letters": seen.dead_letters,
        "p99_ms": None if seen.latency is None else seen.latency.p99_ms,
        "newest_us": seen.newest_us,
    }


def _rollout(rollout: Rollout) -> Summary:
    current, candidate = rollout.current.version, rollout.candidate.version
    return {
        "deployment": rollout.deployment,
        "versions": f"v{current} \N{RIGHTWARDS ARROW} v{candidate}",
        "kind": rollout.kind,
        "steps": ", ".join(map(_percent, rollout.steps)),
        "phase": rollout.phase,
        "share": _percent(rollout.desired),
        "started_at_us": rollout.started_at_us,
        "by": rollout.by,
        "why": rollout.why,
    }


def _shadow(shadow: Shadow) -> Summary:
    return {
        "deployment": shadow.deployment,
        "version": shadow.version,
        "state": "running" if shadow.running else "stopped",
        "since_us": shadow.since_us,
        "at_us": shadow.at_us,
        "by": shadow.by,
        "why": shadow.why,
    }


def _scorer(scorer: ScorerState) -> Summary:
    plans = sorted({each.plan for each in scorer.workers if each.plan is not None})
    memory = sum(each.memory_bytes for each in scorer.workers)
    problems = [scorer.problem, *(each.problem for each in scorer.workers)]
    return {
        "address": scorer.address,
        "state": "down" if scorer.problem else "up",
        "processes": len(scorer.workers),
        "plan": ", ".join(map(str, plans)),
        "memory": f"{memory / 1e6:.0f} MB" if scorer.workers else "",
        "problem": "; ".join(filter(None, problems)),
    }


def _live_view(view: LiveView) -> Summary:
    return {
        "at_us": view.at_us,
        "scorers": [_scorer(each) for each in view.scorers],
        "rates": [_rate(each) for each in view.rates],
    }


def _rate(rate: VariantRate) -> Summary:
    from tondo.workspace.live.values import ALL_VARIANTS

    said = {"": "none", ALL_VARIANTS: "all"}
    return {
        "deployment": rate.deployment,
        "variant": said.get(rate.variant, rate.variant),
        "requests/s": _rounded(rate.requests_s),
        "p50_us": rate.p50_us,
        "p99_us": rate.p99_us,
        "errors/s": _rounded(rate.errors_s),
        "refused/s": _rounded(rate.refused_s),
        "shed/s": _rounded(rate.shed_s),
        "requests": rate.requests,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


_SUMMARIES: Mapping[str, Callable[[Any], Summary]] = {
    "DeploymentPage": _deployment_page,
    "DeploymentState": _deployment_state,
    "LiveView": _live_view,
    "Rollout": _rollout,
    "ScorerState": _scorer,
    "Shadow": _shadow,
}
"""By the name of a value's type, so that none of them is imported to show another."""
