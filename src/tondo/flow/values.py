"""What is known of an execution and of its steps."""

from __future__ import annotations

from typing import Any

import msgspec


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a step within an execution, or one reuse of a finished one."""

    name: str
    state: str
    """running, ok, reused, failed, or killed."""
    seconds: float | None
    """How long it took in this execution; None while it runs or when it was killed."""
    key: str
    parts: dict[str, Any]
    """What the key was made of: version, parameters, inputs, packages, code."""
    execution: str
    sequence: int
    started_at_us: int
    ended_at_us: int | None = None
    error: dict[str, Any] | None = None
    log: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is a result."""
        return self.state in {"ok", "reused"}

    @property
    def reused(self) -> bool:
        """Whether the result came from an earlier execution."""
        return self.state == "reused"


class ExecutionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a pipeline with the steps it took."""

    id: str
    name: str
    key: str
    parameters: dict[str, Any]
    state: str
    """running, succeeded, failed, or killed."""
    started_at_us: int
    ended_at_us: int | None
    error: dict[str, Any] | None
    steps: list[StepRecord]


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a step's key that is not what it was."""

    part: str
    """For example `parameters.seed`, `inputs.flights`, `packages.lightgbm`, `version`."""
    before: Any
    after: Any


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step ran, or why it was reused."""

    step: StepRecord
    previous: StepRecord | None
    """The step of this name in the execution before."""
    changes: list[KeyChange]

    @property
    def text(self) -> str:
        """One sentence for people."""
        if self.step.reused:
            return f"'{self.step.name}' was reused: nothing it depends on has changed."
        if self.previous is None:
            return f"'{self.step.name}' ran for the first time."
        if not self.changes:
            return f"'{self.step.name}' ran again: the step before {_ending(self.previous)}."
        told = "; ".join(f"{each.part}: {each.before!r} -> {each.after!r}" for each in self.changes)
        return f"'{self.step.name}' ran again because of {told}."


def _ending(previous: StepRecord) -> str:
    return "was to be done afresh" if previous.ok else f"was {previous.state}"
