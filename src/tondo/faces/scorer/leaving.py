"""Models on their way out: closed when nobody can ask them any more."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tondo.faces.scorer.residency import Residency
    from tondo.faces.scorer.table import RouteTable
    from tondo.faces.scorer.units import Unit

_GRACE_S = 0.5
"""A turn of the event loop that has gathered requests for a route is long over by then."""


class Leaving:
    """Units that no table answers with, until their last request is answered."""

    def __init__(self, residency: Residency) -> None:
        self._residency = residency
        self._units: list[tuple[float, Unit]] = []

    def add(self, units: Iterable[Unit]) -> None:
        """Let units go."""
        at = time.monotonic() + _GRACE_S
        self._units.extend((at, unit) for unit in units if unit.resident)

    async def tend(self, table: RouteTable | None) -> None:
        """Close what may be closed; for the event loop, closing itself is done in a thread."""
        if not self._units:
            return
        now = time.monotonic()
        gone = [unit for at, unit in self._units if at <= now and not unit.busy]
        if not gone:
            return
        self._units = [each for each in self._units if each[1] not in gone]
        used = {digest for _, unit in self._units for digest in unit.packages}
        if table is not None:
            used |= table.resident_packages()
        free = {digest for unit in gone for digest in unit.packages} - used
        released = [self._residency.release(digest) for digest in free]
        gone.clear()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._residency.close, released)
