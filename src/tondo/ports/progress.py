"""The progress port: how long work tells how far it is, and keeps its place."""

from __future__ import annotations

from typing import Any, Protocol


class Progress(Protocol):
    """Receives how far a step is, and keeps a small checkpoint for a restart."""

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Tell that `done` of `total` units are done."""
        ...

    def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep `state` durably; `resume_state` returns it after a kill."""
        ...

    def resume_state(self) -> dict[str, Any] | None:
        """Return the last checkpoint of this very step, or None when it starts afresh."""
        ...
