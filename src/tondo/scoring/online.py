"""The codec of packed online values: keys that sort by time, values that decode in one step.

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

from tondo.core.canonical import digest_bytes
from tondo.core.errors import CallerError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tondo.scoring.layout import ViewLayout

NULL: Final = -(1 << 63)
"""Stands for null (and for no recorded time) in eight-byte integers."""
_BIAS: Final = 1 << 63
_MOST: Final = (1 << 63) - 1
_END: Final = b"\xff" * 17
_INSTANT: Final = struct.Struct(">Q")
_PAIR: Final = struct.Struct(">QQ")
_FLOAT: Final = struct.Struct("<d")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list).decode


def view_prefix(layout: ViewLayout) -> bytes:
    """Return the bytes with which every row or event key of this view version begins."""
    return b"%s\x00%s\x00" % (layout.view.encode(), layout.version.encode())


def mark_prefix(layout: ViewLayout) -> bytes:
    """Return the bytes with which the marks of pushed event ids begin."""
    return b"%s\x01%s\x00" % (layout.view.encode(), layout.version.encode())


def encode_key(layout: ViewLayout, key: Any) -> bytes:
    """Return the sortable, self-ending bytes of a join key; TD-ONLINE-001 for a wrong type."""
    if layout.key_type == "string":
        if type(key) is str:
            text = key.encode()
            if b"\x00" in text:
                text = text.replace(b"\x00", b"\x00\xff")
            return text + b"\x00\x01"
    elif type(key) is int and -_BIAS <= key < _BIAS:
        return _INSTANT.pack(key + _BIAS)
    raise CallerError(
        "TD-ONLINE-001",
        f"{key!r} cannot be a key of view '{layout.view}'",
        expected=f"{layout.key} of type {layout.key_type}",
        fix="Send the key in the type that the entity declares.",
        view=layout.view,
        column=layout.key,
    )


def newest_first(instant_us: int) -> bytes:
    """Return eight bytes that sort later instants first."""
    return _INSTANT.pack(_MOST - instant_us)


def oldest_first(instant_us: int) -> bytes:
    """Return eight bytes that sort earlier instants first."""
    return _INSTANT.pack(instant_us + _BIAS)


def lookup_key(
    layout: ViewLayout,
    key: Any,
    event_time_us: int | None = None,
    recorded_at_us: int | None = None,
) -> bytes:
    """Return the key under which one looked-up row of an entity is kept."""
    start = view_prefix(layout) + encode_key(layout, key)
    if not layout.has_time:
        return start
    if event_time_us is None:
        raise DataError(
            "TD-ONLINE-002",
            f"a row of view '{layout.view}' for key {key!r} has no event time",
            fix="Give the row its event time, or drop it before it is pushed.",
            view=layout.view,
        )
    start += newest_first(event_time_us)
    if layout.has_recorded:
        start += newest_first(NULL if recorded_at_us is None else recorded_at_us)
    return start


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
    return value


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


def event_sequence(event_id: str) -> int:
    """Return the 64-bit place of an event among those of the same instant.

    >>> event_sequence("landing-1") == event_sequence("landing-1")
    True
    """
    return int(digest_bytes(event_id.encode())[:16], 16)


def mark_key(layout: ViewLayout, event_id: str) -> bytes:
    """Return the key that says that an event id has been applied (128 bits of its digest)."""
    return mark_prefix(layout) + bytes.fromhex(digest_bytes(event_id.encode())[:32])


def event_key(layout: ViewLayout, key: Any, event_time_us: int, sequence: int) -> bytes:
    """Return the key of one event; keys sort by entity key, event time, sequence."""
    start = view_prefix(layout) + encode_key(layout, key)
    return start + _PAIR.pack(event_time_us + _BIAS, sequence)


def event_range(layout: ViewLayout, key: Any, start_us: int, stop_us: int) -> tuple[bytes, bytes]:
    """Return the key range of events with start_us <= event time < stop_us."""
    start = view_prefix(layout) + encode_key(layout, key)
    return start + oldest_first(start_us), start + oldest_first(stop_us)


def lookup_range(layout: ViewLayout, key: Any, visible_us: int) -> tuple[bytes, bytes]:
    """Return the key range of rows at or before `visible_us`, the newest first."""
    start = view_prefix(layout) + encode_key(layout, key)
    if not layout.has_time:
        return start, start + b"\x00"
    return start + newest_first(visible_us), start + _END


def event_width(layout: ViewLayout) -> int:
    """Return how many eight-byte fields an event has when all its values fit."""
    return len(layout.slots) + (1 if layout.has_recorded else 0)


def pack_event(
    layout: ViewLayout, values: Mapping[str, Any], recorded_at_us: int | None = None
) -> bytes:
    """Return the stored bytes of one event.

    `values` are by slot name: multiples of 2**-scale_bits for `sum`, 1 or None for `present`, the
    value itself for `value`. When every one fits eight bytes the record is fixed and fast;
    otherwise it is strictly longer than a fixed one, which is how a reader tells them apart.
    """
    fields: list[bytes] = []
    if layout.has_recorded:
        fields.append(_integer(NULL if recorded_at_us is None else recorded_at_us) or b"")
    for name, slot in layout.slots.items():
        field = _field(slot.type if slot.kind == "value" else "id", values.get(name))
        if field is None:
            return _pack_wide(layout, values, recorded_at_us)
        fields.append(field)
    return b"".join(fields)


def _field(type_: str, value: Any) -> bytes | None:
    if type_ == "double":
        return _FLOAT.pack(math.nan if value is None else value)
    if type_ == "string" or type_.startswith("list"):
        return None
    if value is None:
        return _integer(NULL)
    return None if value == NULL else _integer(int(value))


def _integer(value: int) -> bytes | None:
    return struct.pack("<q", value) if NULL <= value < _BIAS else None


def _pack_wide(layout: ViewLayout, values: Mapping[str, Any], recorded_at_us: int | None) -> bytes:
    row: list[Any] = [recorded_at_us]
    for name, slot in layout.slots.items():
        value = values.get(name)
        row.append(str(value) if slot.kind == "sum" and value is not None else value)
    return b"\x00" * (8 * event_width(layout)) + _encode(row)


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
