"""Offsets of time zones in ONNX: our own tables as constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tondo.adapters.exports.onnx.writer import INT64
from tondo.language.functions.zones import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tondo.adapters.exports.onnx.writer import GraphWriter

_FAR = 2**62
"""Earlier, as a negative number, than every instant of the calendar."""


def offset(writer: GraphWriter, zone_name: str, instant: str) -> str:
    """Return the zone's offset in microseconds at an instant of the calendar."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return writer.whole(table.offsets_us[0])
    return _picked(writer, table.offsets_us, _passed(writer, table.starts_us[1:], instant))


def segment_start(writer: GraphWriter, zone_name: str, instant: str) -> str:
    """Return the last change of clocks at or before an instant of the calendar."""
    table = zone(zone_name)
    starts = (-_FAR, *table.starts_us[1:])
    if len(starts) == 1:
        return writer.whole(-_FAR)
    return _picked(writer, starts, _passed(writer, table.starts_us[1:], instant))


def first_instant(writer: GraphWriter, zone_name: str, local: str) -> str:
    """Return the first instant at which local time is `local` or later."""
    table = zone(zone_name)
    if len(table.starts_us) == 1:
        return writer.add("Sub", local, writer.whole(table.offsets_us[0]))
    ends = [
        start + shift for start, shift in zip(table.starts_us[1:], table.offsets_us, strict=False)
    ]
    index = _passed(writer, ends, local)
    starts = (-_FAR, *table.starts_us[1:])
    instant = writer.add("Sub", local, _picked(writer, table.offsets_us, index))
    return writer.add("Max", instant, _picked(writer, starts, index))


def _passed(writer: GraphWriter, steps: Sequence[int], place: str) -> str:
    """Return how many of the rising steps are at or below a place."""
    at_or_below = writer.add("GreaterOrEqual", place, writer.whole(*steps))
    return writer.summed(writer.cast(at_or_below, INT64))


def _picked(writer: GraphWriter, values: Sequence[int], index: str) -> str:
    return writer.add("Gather", writer.array(np.array(values, dtype=np.int64)), index, axis=0)
