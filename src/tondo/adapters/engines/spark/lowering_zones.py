"""Offsets of time zones in Spark: our own tables as constant arrays, found without a join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.adapters.engines.spark.lowering_emitter import called, chosen, whole_sql
from tondo.adapters.engines.zone_steps import FAR, slotted
from tondo.language.functions.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence


def offset_sql(zone_name: str, instant: str) -> str:
    """Return the SQL of the zone's offset in microseconds at a BIGINT instant."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return whole_sql(table.offsets_us[0])
    return _picked(table.offsets_us, _index_sql(table.starts_us[1:], instant))


def segment_start_sql(zone_name: str, instant: str) -> str:
    """Return the SQL of the last change of clocks at or before a BIGINT instant."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return whole_sql(-FAR)
    starts = (-FAR, *table.starts_us[1:])
    return _picked(starts, _index_sql(table.starts_us[1:], instant))


def first_instant_sql(zone_name: str, local: str) -> str:
    """Return the SQL of the first instant at which local time is `local` or later."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return called("-", local, whole_sql(table.offsets_us[0]))
    ends = tuple(
        start + offset for start, offset in zip(table.starts_us[1:], table.offsets_us, strict=False)
    )
    index = _index_sql(ends, local)
    starts = (-FAR, *table.starts_us[1:])
    instant = called("-", local, _picked(table.offsets_us, index))
    # `greatest` passes over nulls.
    reached = called("greatest", instant, _picked(starts, index))
    return chosen(called("isnull", local), "NULL", reached)


def _picked(values: Sequence[int], index: str) -> str:
    return called("get", _array_sql(values), index)


def _array_sql(values: Sequence[int]) -> str:
    """Return a constant array: one text that the optimizer splits once, not a node an entry."""
    return f"CAST(split('{','.join(map(str, values))}', ',') AS ARRAY<BIGINT>)"


def _index_sql(steps: tuple[int, ...], place: str) -> str:
    """Return the SQL of how many of the rising `steps` are at or below `place`."""
    cut = slotted(steps)
    first = whole_sql(steps[0])
    last = whole_sql(steps[0] + cut.width * len(cut.before) - 1)
    kept = called("least", called("greatest", place, first), last)
    slot = called("div", called("-", kept, first), whole_sql(cut.width))
    before = count = _picked(cut.before, slot)
    for ahead in range(cut.most):
        step = _picked((*steps, *[FAR] * cut.most), called("+", before, whole_sql(ahead)))
        passed = called(">=", place, step)
        count = called("+", count, f"CAST({passed} AS BIGINT)")
    return chosen(called("<", place, first), "0L", count)
