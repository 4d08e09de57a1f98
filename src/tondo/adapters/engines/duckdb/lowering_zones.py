"""Offsets of time zones in DuckDB: our own tables as constant lists, found without a join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.zone_steps import FAR, slotted
from tondo.language.functions.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence


def offset_sql(zone_name: str, instant: str) -> str:
    """Return the SQL of the zone's offset in microseconds at a BIGINT instant."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return f"CAST({table.offsets_us[0]} AS BIGINT)"
    return _picked(table.offsets_us, _index_sql(table.starts_us[1:], instant))


def segment_start_sql(zone_name: str, instant: str) -> str:
    """Return the SQL of the last change of clocks at or before a BIGINT instant."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return f"CAST({-FAR} AS BIGINT)"
    starts = (-FAR, *table.starts_us[1:])
    return _picked(starts, _index_sql(table.starts_us[1:], instant))


def first_instant_sql(zone_name: str, local: str) -> str:
    """Return the SQL of the first instant at which local time is `local` or later."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return f"({local} - CAST({table.offsets_us[0]} AS BIGINT))"
    ends = tuple(
        start + offset for start, offset in zip(table.starts_us[1:], table.offsets_us, strict=False)
    )
    index = _index_sql(ends, local)
    starts = (-FAR, *table.starts_us[1:])
    return f"greatest({local} - {_picked(table.offsets_us, index)}, {_picked(starts, index)})"


def _picked(values: Sequence[int], index: str) -> str:
    return f"list_extract({_list_sql(values)}, {index} + 1)"


def _list_sql(values: Sequence[int]) -> str:
    return f"CAST([{','.join(map(str, values))}] AS BIGINT[])"


def _index_sql(steps: tuple[int, ...], place: str) -> str:
    """Return the SQL of how many of the rising `steps` are at or below `place`."""
    cut = slotted(steps)
    first, last = steps[0], steps[0] + cut.width * len(cut.before) - 1
    slot = f"(least(greatest({place}, {first}), {last}) - {first}) // {cut.width} + 1"
    before = f"list_extract({_list_sql(cut.before)}, {slot})"
    padded = _list_sql((*steps, *[FAR] * cut.most))
    later = "".join(
        f" + CAST({place} >= list_extract({padded}, {before} + {ahead}) AS BIGINT)"
        for ahead in range(1, cut.most + 1)
    )
    return f"CASE WHEN {place} < {first} THEN 0 ELSE {before}{later} END"
