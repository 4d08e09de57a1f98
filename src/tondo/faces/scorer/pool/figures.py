"""What workers tell of themselves: each writes it down a few times a second, any of them shows all.

A worker that hangs is shown as it was last.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import msgspec

from tondo.core.canonical import canonical_json

if TYPE_CHECKING:
    from tondo.faces.scorer.pool.members import RunFolder


class Figures:
    """The figures of one scorer's workers, in its run folder."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run

    def tell(self, figures: dict[str, Any]) -> None:
        """Write down ours; OSError when that fails."""
        self._run.tell(_name(os.getpid()), canonical_json(figures))

    def of_others(self) -> list[dict[str, Any]]:
        """Return those of the other workers that run and have told any."""
        found = []
        for member in self._run.members("worker"):
            if member.pid != os.getpid() and (data := self._run.told(_name(member.pid))):
                with contextlib.suppress(msgspec.DecodeError):
                    found.append(msgspec.json.decode(data, type=dict[str, Any]))
        return found


def _name(pid: int) -> str:
    return f"figures.{pid}"
