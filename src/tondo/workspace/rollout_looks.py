"""Looks at rollouts: measured, decided, and kept in a small file for whoever asks how it goes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from tondo.stages.deployment.rollout import next_step
from tondo.stages.deployment.status import Look

if TYPE_CHECKING:
    from pathlib import Path

    from tondo.stages.deployment.rollout import Rollout
    from tondo.stages.monitoring.arm_tail import ArmTail
    from tondo.workspace.bootstrap import Parts

FRESH_US = 10_000_000
"""A look of the last ten seconds is shown; after that nobody is looking, so one measures anew."""


def look(tail: ArmTail, *, at_us: int) -> Look:
    """Read what was logged, measure it and decide what comes next."""
    tail.read()
    measured = tail.measure(at_us=at_us)
    rollout = tail.rollout
    return Look(
        rollout=rollout.id,
        step=rollout.step,
        phase=rollout.phase,
        measured=measured,
        decided=next_step(rollout, measured),
    )


def keep_look(parts: Parts, deployment: str, found: Look) -> None:
    """Replace the last look; the ledger keeps only those that changed something."""
    path = _path(parts, deployment)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode(found))
    fresh.replace(path)


def last_look(parts: Parts, rollout: Rollout) -> Look | None:
    """Return the last look at a rollout as it stands, None without a fresh one."""
    try:
        found = msgspec.json.decode(_path(parts, rollout.deployment).read_bytes(), type=Look)
    except (OSError, msgspec.DecodeError):
        return None
    age_us = parts.clock.now_us() - found.measured.at_us
    return found if found.is_of(rollout) and age_us < FRESH_US else None


def _path(parts: Parts, deployment: str) -> Path:
    return parts.state / "serving" / "rollouts" / f"{deployment}.json"
