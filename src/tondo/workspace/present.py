"""The present of a project: the machine's clock, or its own when it lived at another time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.instants import from_micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.workspace.bootstrap import Parts

FAR_US = 30 * 86_400_000_000
"""A project whose newest entry is further than this from the machine's clock, before or after,
lives at a time of its own: it was driven through a simulated one, or nobody has used it since."""


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """The instant at which a project is looked at."""

    now_us: int
    machine_us: int
    """What the machine's clock says."""

    @property
    def note(self) -> str:
        """Say why the project's time is not the machine's; empty when it is.

        >>> Present(now_us=1388811600000000, machine_us=1795461441265295).note[:51]
        "This page stands at the project's own time: its new"
        """
        if self.now_us == self.machine_us:
            return ""
        return (
            f"This page stands at the project's own time: its newest entry is of"
            f" {_day(self.now_us)}, while this machine's clock says {_day(self.machine_us)}."
        )


def present(parts: Parts, deployments: list[str]) -> Present:
    """Return the machine's present, or the newest instant of a project that is far from it."""
    machine_us = parts.clock.now_us()
    newest_us = max(_ledger_instants(parts), default=machine_us)
    if _is_far(newest_us, machine_us):
        newest_us = max((newest_us, *_logged_instants(parts, deployments)))
    now_us = newest_us if _is_far(newest_us, machine_us) else machine_us
    return Present(now_us=now_us, machine_us=machine_us)


def _ledger_instants(parts: Parts) -> Iterator[int]:
    """Yield the newest instants of what every change leaves behind."""
    yield from (each.moved_at_us for each in parts.ledger.pointers())
    yield from (each.created_at_us for each in parts.ledger.events(limit=1, newest_first=True))
    for execution in parts.executions.newest(limit=1):
        yield execution.ended_at_us or execution.started_at_us


def _logged_instants(parts: Parts, deployments: list[str]) -> Iterator[int]:
    for name in deployments:
        for stream in (parts.predictions(name), parts.outcomes(name)):
            span = stream.span()
            if span is not None:
                yield span[1]


def _is_far(instant_us: int, machine_us: int) -> bool:
    return abs(machine_us - instant_us) > FAR_US


def _day(instant_us: int) -> str:
    return f"{from_micros(instant_us):%-d %B %Y}"
