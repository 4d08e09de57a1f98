"""Operations on rollouts."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read, write

_DEPLOYMENT = "/v1/deployments/{deployment}"
_ROLLOUT = f"{_DEPLOYMENT}/rollout"


def _steer(verb: str, summary: str) -> Operation:
    return write(
        f"rollout.{verb}",
        f"rollouts.{verb}",
        f"{_ROLLOUT}/{verb}",
        summary,
        permission="deploy",
        present="rollout.status",
    )


ROLLOUTS: tuple[Operation, ...] = (
    write(
        "rollout.start",
        "rollouts.start",
        f"{_DEPLOYMENT}/rollouts",
        "Send a first share of traffic to a candidate version.",
        permission="deploy",
        present="rollout.preview",
    ),
    read(
        "rollout.preview",
        "rollouts.preview",
        f"{_ROLLOUT}/preview",
        "Tell the steps that a rollout would take and what it would find.",
    ),
    read(
        "rollout.status",
        "rollouts.status",
        _ROLLOUT,
        "Tell what is desired, tried and current, with every condition.",
    ),
    _steer("pause", "Leave the share as it is; guards still abort."),
    _steer("resume", "Let a paused rollout go on."),
    _steer("promote", "Give the candidate the whole traffic now."),
    _steer("abort", "Give the traffic back to the version before."),
    _steer("advance", "Measure the rollout and do what its conditions say."),
    read(
        "rollout.list",
        "rollouts.history",
        f"{_DEPLOYMENT}/rollouts",
        "List a deployment's rollouts, the newest first.",
    ),
)
