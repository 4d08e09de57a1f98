"""The codec of packed online values (their keys are made in `keys.py`).

A looked-up row lies under `view version | key | newest-first event time [| recorded time]`, an
event of a window view under `view version | key | event time | sequence`. Among looked-up rows
the newest event time wins, then the newest recorded time; rows equal in both are one stored pair,
which keeps the greatest values (`content_order`), so the order of writes never matters.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tondo.core.errors import DataError
from tondo.scoring.keys import NULL, event_key, event_range, lookup_key, lookup_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.scoring.layout import EventSlot, ViewLayout

_WHOLE: Final = ("id", "bool", "timestamp", "date")

__all__ = [
    "EventPacker",
    "content_order",
    "decode_lookup",
    "event_key",
    "event_range",
    "event_width",
    "lookup_key",
    "lookup_range",
    "pack_event",
    "pack_lookup",
    "prefer",
    "unpack_event",
    "unpack_events",
    "unpack_lookup",
]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list).decode


def pack_lookup(
    layout: ViewLayout,
    event_time_us: int | None,
    values: Mapping[str, Any],
    recorded_at_us: int | None = None,
) -> bytes:
    """Return the stored bytes of one row: its times and the features in the layout's order."""
    row = [event_time_us, recorded_at_us]
    row.extend(_finite(values.get(name)) for name in layout.features)
    return _encode(row)


def _finite(value: Any) -> Any:
    if type(value) is float and not math.isfinite(value):
        return None
    return [_finite(each) for each in value] if type(value) is list else value


def decode_lookup(data: bytes) -> list[Any]:
    """Return [event time, recorded time, feature values...] of a stored row."""
    try:
        return _decode(data)
    except msgspec.DecodeError as damage:
        raise _damaged(str(damage)) from damage


def unpack_lookup(layout: ViewLayout, data: bytes) -> tuple[int | None, dict[str, Any]]:
    """Return the event time and the features of a stored row."""
    row = decode_lookup(data)
    return row[0], dict(zip(layout.features, row[2:], strict=True))


def content_order(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return a sort key over feature values: null first, then by value, -0.0 before 0.0.

    >>> content_order([None]) < content_order([-0.0]) < content_order([0.0])
    True
    """
    return tuple(_order(value) for value in values)


def _order(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0,)
    if type(value) is float:
        return (1, value, math.copysign(1.0, value))
    if isinstance(value, list):
        return (1, content_order(value))
    return (1, value)


def prefer(layout: ViewLayout, kept: bytes | None, offered: bytes) -> bytes:
    """Return which of two rows under the same key stays: the greater content.

    A view without event time has nothing to compare: what is offered replaces what was kept.
    """
    if kept is None or not layout.has_time:
        return offered
    names = sorted(layout.features)
    places = [2 + list(layout.features).index(name) for name in names]
    old, new = decode_lookup(kept), decode_lookup(offered)
    old_order = content_order(old[place] for place in places)
    return offered if content_order(new[place] for place in places) > old_order else kept


def event_width(layout: ViewLayout) -> int:
    """Return how many eight-byte fields an event has when all its values fit."""
    return len(layout.slots) + (1 if layout.has_recorded else 0)


class EventPacker:
    """Makes the stored bytes of one view's events.

    When every value fits eight bytes the record is fixed and fast; otherwise it is strictly
    longer than a fixed one, which is how a reader tells them apart.
    """

    def __init__(self, layout: ViewLayout) -> None:
        self._width = event_width(layout)
        self._recorded = layout.has_recorded
        self._sums = [slot.kind == "sum" for slot in layout.slots.values()]
        codes = [_code(slot) for slot in layout.slots.values()]
        self._nulls = [math.nan if code == "d" else NULL for code in codes]
        shape = "<" + "q" * self._recorded + "".join(codes)
        self._fixed = None if "?" in shape else struct.Struct(shape)

    def pack(self, values: Sequence[Any], recorded_at_us: int | None) -> bytes:
        """Return the bytes of one event from its slot values in the layout's order."""
        if self._fixed is None or NULL in values:
            return self._wide(values, recorded_at_us)
        fields = [
            null if value is None else value
            for value, null in zip(values, self._nulls, strict=True)
        ]
        if self._recorded:
            fields.insert(0, NULL if recorded_at_us is None else recorded_at_us)
        try:
            return self._fixed.pack(*fields)
        except struct.error:
            return self._wide(values, recorded_at_us)

    def _wide(self, values: Sequence[Any], recorded_at_us: int | None) -> bytes:
        row: list[Any] = [recorded_at_us]
        for value, is_sum in zip(values, self._sums, strict=True):
            row.append(str(value) if is_sum and value is not None else value)
        return b"\x00" * (8 * self._width) + _encode(row)


def _code(slot: EventSlot) -> str:
    """Return the struct code of a slot; `?` where its values have no fixed size."""
    if slot.kind == "value" and slot.type == "double":
        return "d"
    has_fixed_size = slot.kind != "value" or slot.type in _WHOLE
    return "q" if has_fixed_size else "?"


def pack_event(
    layout: ViewLayout, values: Mapping[str, Any], recorded_at_us: int | None = None
) -> bytes:
    """Return the stored bytes of one event.

    `values` are by slot name: multiples of 2**-scale_bits for `sum`, 1 or None for `present`, the
    value itself for `value`.
    """
    ordered = [values.get(name) for name in layout.slots]
    return EventPacker(layout).pack(ordered, recorded_at_us)


def unpack_event(layout: ViewLayout, data: bytes) -> tuple[int | None, dict[str, Any]]:
    """Return the recorded time and the slot values of one stored event."""
    row = unpack_events(layout, [data])[0]
    recorded = row[0] if layout.has_recorded else None
    return recorded, dict(zip(layout.slots, row[1:], strict=True))


def unpack_events(layout: ViewLayout, records: Sequence[bytes]) -> list[list[Any]]:
    """Return [recorded time, slot values...] per record, whatever its form; the slow, plain way."""
    return [_unpack_one(layout, data) for data in records]


def _unpack_one(layout: ViewLayout, data: bytes) -> list[Any]:
    width = event_width(layout)
    if len(data) > 8 * width:
        row = decode_lookup(data[8 * width :])
        for place, slot in enumerate(layout.slots.values(), start=1):
            if slot.kind == "sum" and row[place] is not None:
                row[place] = int(row[place])
        return row
    if len(data) < 8 * width:
        raise _damaged(f"{len(data)} bytes where {8 * width} belong")
    integers = struct.unpack(f"<{width}q", data)
    floats = struct.unpack(f"<{width}d", data)
    shift = 1 if layout.has_recorded else 0
    row = [None if not shift or integers[0] == NULL else integers[0]]
    for place, slot in enumerate(layout.slots.values()):
        if slot.kind == "value" and slot.type == "double":
            value = floats[place + shift]
            row.append(None if math.isnan(value) else value)
        else:
            whole = integers[place + shift]
            row.append(None if whole == NULL else _typed(slot.type, slot.kind, whole))
    return row


def _typed(type_: str, kind: str, whole: int) -> Any:
    return bool(whole) if kind == "value" and type_ == "bool" else whole


def _damaged(detail: str) -> DataError:
    return DataError(
        "TD-ONLINE-003",
        f"a stored feature value cannot be read: {detail}",
        fix="Materialise the view again; its store was written by something else or is damaged.",
    )
