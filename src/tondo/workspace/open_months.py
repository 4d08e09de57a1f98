"""Months that still run, or whose outcomes still come: measured from the log when looked at."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from tondo.core.instants import from_micros, parse_instant
from tondo.workspace.joined import joined_outcomes
from tondo.workspace.months import DAY_US, MonthRecord, measure_month, months_between

if TYPE_CHECKING:
    from tondo.workspace.bootstrap import Parts

SHOWN = 3
"""The present month and the two before it: older ones are closed by then, where somebody does
(`tondo deployment watch`); what is measured for a page stays bounded."""
_QUICK_S = 0.25
_SHARE = 20
"""What took longer than `_QUICK_S` is shown this many times as long: a page that is looked at
all the time takes a twentieth of one core at most."""


class OpenMonths(NamedTuple):
    """The open months of a deployment, the oldest first."""

    months: list[MonthRecord]
    unseen_until_us: int | None
    """Predictions before this are neither closed nor shown; None when there are none such."""


class OpenMonthsReader:
    """Measures the open months of one workspace's deployments, and keeps what took long."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._kept: dict[str, tuple[float, OpenMonths]] = {}
        self._lock = Lock()

    def read(self, deployment: str, closed: list[MonthRecord], *, now_us: int) -> OpenMonths:
        """Return the months after the closed ones, as they stand at `now_us`."""
        with self._lock:
            until_s, found = self._kept.get(deployment, (0.0, OpenMonths([], None)))
            began_s = time.monotonic()
            if began_s < until_s:
                return found
            found = _measure(self._parts, deployment, closed, now_us)
            took_s = time.monotonic() - began_s
            if took_s > _QUICK_S:
                self._kept[deployment] = (began_s + _SHARE * took_s, found)
            return found


def _measure(parts: Parts, deployment: str, closed: list[MonthRecord], now_us: int) -> OpenMonths:
    span = parts.predictions(deployment).span()
    if span is None:
        return OpenMonths([], None)
    open_us = max(closed[-1].until_us, span[0]) if closed else span[0]
    # Callers may name an instant that is a little ahead of ours.
    end_us = min(span[1] + 1, now_us + DAY_US)
    if open_us >= end_us:
        return OpenMonths([], None)
    start_us = max(open_us, _oldest_shown(now_us))
    joined = joined_outcomes(parts, deployment, start_us=start_us, end_us=end_us, at_us=now_us)
    found = []
    for month in months_between(start_us, end_us):
        rows = joined.between(month.start_us, month.end_us)
        if rows.num_rows:
            found.append(measure_month(parts, deployment, month, rows, is_open=True))
    return OpenMonths(found, start_us if start_us > open_us else None)


def _oldest_shown(now_us: int) -> int:
    at = from_micros(now_us)
    months = at.year * 12 + at.month - SHOWN
    return parse_instant(f"{months // 12:04d}-{months % 12 + 1:02d}-01T00:00:00Z")
