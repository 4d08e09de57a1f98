"""In which zones numeric columns are parts of a time: found on a few rows, proved on all.

Zones that behaved alike when the rows came cannot be told apart by them, so every one is kept, and
a batch may be in any. The parts of one time are taken to be in one zone where that is possible.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from tondo.language.functions.zones import zone_names
from tondo.stages.data.relations.kinds import TimePart
from tondo.stages.data.relations.time_parts import PARTS, ZONELESS, time_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from tondo.stages.data.relations.rows import Rows

_FIRST = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
)
"""Tried first, so that of zones that are alike the best known one is told."""
_MOST_ZONES = 60
"""A part that fits more zones than these does not say in which it is."""
_MOST_TIMES = 5
_FEW, _MORE = 64, 4096
_YEAR_US = 31_556_952_000_000
_PROBE_US = 75 * 3_600_000_000
"""Zones are compared every 75 hours: on every day of the week, whatever the time of year."""
_MOST_PROBES = 2_000


def learn_time_parts(rows: Rows, numbers: Sequence[str], *, least: int) -> Iterator[TimePart]:
    """Yield which of the numeric columns are, in every row, which part of which time."""
    import numpy as np

    whole = [name for name in numbers if _may_be_part(rows.values(name))]
    for time in list(rows.instants)[:_MOST_TIMES] if whole else ():
        instants = rows.instants[time]
        there = np.flatnonzero(~np.isnan(instants))
        if len(there) >= least:
            for each in _parts_of(rows.take(there), time, whole):
                spoken = len(there) - int(rows.missing(each.column)[there].sum())
                if spoken >= least:
                    yield msgspec.structs.replace(each, witnesses=spoken)


def _may_be_part(values: np.ndarray) -> bool:
    """Say whether values are whole and no larger than days since 1970 are."""
    import numpy as np

    present = values[~np.isnan(values)]
    return bool((present >= 0).all() and (present < 100_000).all() and (present % 1 == 0).all())


def _parts_of(rows: Rows, time: str, columns: Sequence[str]) -> list[TimePart]:
    """Return what each column is of one time, the hour first: it says most of the zone."""
    few, more = (rows.take(_spread(len(rows), most)) for most in (_FEW, _MORE))
    rules = _rules()
    offsets = _offsets(few.instants[time], rules)
    known: tuple[str, ...] = ()
    found: dict[str, TimePart] = {}
    for part, column, fitting in _unrefuted(few, time, columns, offsets):
        shared = tuple(name for name in known if name in fitting)
        zones = _proved(more, rows, _part(time, column, part, shared))
        if not zones:
            others = _different(rows.instants[time], {each: rules[each] for each in fitting})
            zones = _proved(more, rows, _part(time, column, part, others))
        if zones:
            known = known or zones
            earlier = found.get(column)
            found[column] = (
                _part(time, column, part, zones)
                if earlier is None
                else _either(earlier, part, zones)
            )
    return list(found.values())


def _part(time: str, column: str, part: str, zones: tuple[str, ...]) -> TimePart:
    return TimePart(column=column, time=time, parts=(part,), zones=zones)


def _either(known: TimePart, part: str, zones: tuple[str, ...]) -> TimePart:
    """Add a part that the rows do not tell from the first: in January, the day of the year."""
    every = tuple(dict.fromkeys((*known.zones, *zones)))
    return msgspec.structs.replace(known, parts=(*known.parts, part), zones=every)


def _proved(more: Rows, rows: Rows, candidate: TimePart) -> tuple[str, ...]:
    """Return the zones in which every row holds; none when there are too many to mean one."""
    zones = candidate.zones
    if candidate.parts[0] in ZONELESS and "UTC" in zones:
        zones = ("UTC",)
    if len(zones) > _MOST_ZONES:
        return ()
    found = []
    for name in zones:
        each = msgspec.structs.replace(candidate, zones=(name,))
        if not each.test(more).broken.any() and not each.test(rows).broken.any():
            found.append(name)
    return tuple(found)


def _spread(count: int, most: int) -> np.ndarray:
    import numpy as np

    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _rules() -> dict[str, ZoneInfo]:
    """Return all zones, the best known ones first."""
    names = [*_FIRST, *sorted(zone_names().difference(_FIRST))]
    return {name: ZoneInfo(name) for name in names}


def _offsets(instants: np.ndarray, rules: Mapping[str, ZoneInfo]) -> dict[str, np.ndarray]:
    """Return by zone what is to be added to the instants, in microseconds."""
    import numpy as np

    times = [datetime.fromtimestamp(each / 1e6, UTC) for each in instants.tolist()]
    found = {}
    for name, rule in rules.items():
        shifts = [rule.utcoffset(each.astimezone(rule)) for each in times]
        found[name] = np.array([each.total_seconds() * 1e6 for each in shifts if each is not None])
    return found


def _unrefuted(
    few: Rows, time: str, columns: Sequence[str], offsets: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, str, list[str]]]:
    """Yield part, column and the zones that a few rows do not refute, if there are any.

    Missing values refute nothing.
    """
    import numpy as np

    local = few.instants[time] + np.array(list(offsets.values()))
    for part in PARTS:
        parts = time_part(part, local.ravel()).reshape(local.shape)
        for column in columns:
            values = few.values(column)
            refuted = ((parts != values) & ~np.isnan(values)).any(axis=1)
            fitting = [name for name, no in zip(offsets, refuted, strict=True) if not no]
            if fitting:
                yield part, column, fitting


def _different(instants: np.ndarray, rules: Mapping[str, ZoneInfo]) -> tuple[str, ...]:
    """Return one of all zones that agree from a year before to five years after the rows."""
    import numpy as np

    probes = np.arange(instants.min() - _YEAR_US, instants.max() + 5 * _YEAR_US, _PROBE_US)
    if len(probes) > _MOST_PROBES:
        probes = np.linspace(probes[0], probes[-1], _MOST_PROBES)
    alike: dict[bytes, str] = {}
    for name, shifts in _offsets(probes, rules).items():
        alike.setdefault(shifts.tobytes(), name)
    return tuple(alike.values())
