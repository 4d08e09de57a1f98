"""The stored form of a feature view: what its rows or events keep in the online store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tondo.language.windows import arguments_of
from tondo.scoring.layout import EventSlot, ViewLayout
from tondo.scoring.tiles import levels_of

if TYPE_CHECKING:
    from tondo.language.tree import Node, WindowCall
    from tondo.stages.features.views import FeatureView

_SUMS = ("sum", "avg", "stddev", "ratio")
_Slots = dict[str, tuple[EventSlot, "Node"]]


def layout_of(view: FeatureView) -> ViewLayout:
    """Return how the view lies in the online store."""
    slots, slot_of, divisor_of = _slots(view)
    return ViewLayout(
        view=view.name,
        version=view.digest[:8],
        kind=view.kind,
        entity=view.entity.entity,
        key=view.entity.key,
        key_type=view.entity.type,
        features=dict(view.types),
        windows=dict(view.windows),
        slots={name: slot for name, (slot, _) in slots.items()},
        slot_of=slot_of,
        divisor_of=divisor_of,
        asked=view.asked,
        levels_us=tuple(
            sorted({each for call in view.windows.values() for each in levels_of(call)})
        ),
        has_time=view.event_time is not None,
        has_recorded=view.recorded_at is not None,
        freshness_us=view.freshness_us,
        ttl_us=view.ttl_us,
        cadence_us=view.every_us,
        retention_us=view.retention_us,
    )


def slot_arguments(view: FeatureView) -> dict[str, Node]:
    """Return slot name to the argument that an event's slot is computed from."""
    return {name: argument for name, (_, argument) in _slots(view)[0].items()}


def _slots(view: FeatureView) -> tuple[_Slots, dict[str, str], dict[str, str]]:
    """Return the slots, and of each feature the slot that it reads and that of its divisor."""
    kept: _Slots = {}
    read: list[dict[str, str]] = [{}, {}]
    for feature, call in view.windows.items():
        for slot_of, argument in zip(read, arguments_of(call), strict=False):
            slot = _slot(call, argument, squared=_is_squared(view, call))
            name = next((each for each in kept if kept[each] == (slot, argument)), None)
            if name is None:
                name = f"s{len(kept)}"
                kept[name] = (slot, argument)
            slot_of[feature] = name
    return kept, read[0], read[1]


def _slot(call: WindowCall, argument: Node, *, squared: bool) -> EventSlot:
    if call.function in _SUMS:
        return EventSlot(
            kind="sum", type=argument.type, scale_bits=call.scale_bits, squared=squared
        )
    kind: Literal["present", "value"] = "present" if call.function == "count" else "value"
    return EventSlot(kind=kind, type=argument.type)


def _is_squared(view: FeatureView, call: WindowCall) -> bool:
    """Say whether some stddev reads the same argument at the same scale."""
    return any(
        other.function == "stddev"
        and (other.argument, other.scale_bits) == (call.argument, call.scale_bits)
        for other in view.windows.values()
    )
