"""The notifier port: where alerts go besides the ledger."""

from __future__ import annotations

from typing import Any, Protocol


class Notifier(Protocol):
    """Delivers one alert to people or another system."""

    def notify(self, alert: dict[str, Any]) -> None:
        """Deliver; raises OutsideError when it could not."""
        ...
