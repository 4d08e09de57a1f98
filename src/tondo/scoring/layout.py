"""How one feature view lies in the online store: what is stored, under which key, for how long."""

from __future__ import annotations

from typing import Literal

import msgspec

from tondo.language.tree import WindowCall
from tondo.language.windows import window_start_us

EventSlotKind = Literal["sum", "present", "value"]


class EventSlot(msgspec.Struct, frozen=True, kw_only=True):
    """One value kept per event: an argument that window features of the view share."""

    kind: EventSlotKind
    """`sum`: multiples of 2**-scale_bits; `present`: 1 or null; `value`: the argument itself."""
    type: str
    """Column type of the argument."""
    scale_bits: int = 20
    squared: bool = False
    """True when a `stddev` reads it; its values keep within that function's limit."""


class ViewLayout(msgspec.Struct, frozen=True, kw_only=True):
    """The stored form of a view's definition; writers and readers need nothing else.

    An event or looked-up row of a view with `has_time` is kept under its event time, so a read
    at any as-of time finds what was newest then. A row counts only when its event time and, when
    `has_recorded`, its recorded time have passed (see `visible_us`).
    """

    view: str
    version: str
    """Eight hexadecimal characters of the definition's digest; a new version shares no keys."""
    kind: Literal["lookup", "window"]
    entity: str
    key: str
    """The entity's own key column."""
    key_type: str
    """`string` or `id`."""
    features: dict[str, str]
    """Feature name to column type; packed in this order."""
    windows: dict[str, WindowCall] = {}
    """Window features only: feature name to its checked call."""
    slots: dict[str, EventSlot] = {}
    """Window views only: slot name to what an event keeps; packed in this order."""
    slot_of: dict[str, str] = {}
    """Window feature to the slot it reads; absent for `count(*)`."""
    divisor_of: dict[str, str] = {}
    """Feature of `ratio` to the slot of its divisor."""
    levels_us: tuple[int, ...] = ()
    """Sizes of the tiles that are kept beside the events, finest first; see `tiles.py`."""
    has_time: bool = True
    """False for a view without event time: one row per key, the last one written."""
    has_recorded: bool = False
    """True when the source declares a recorded time."""
    freshness_us: int
    ttl_us: int | None = None
    asked: bool = False
    """True when an outside service gives the values; then nothing of it is in the store."""
    cadence_us: int | None = None
    """`every:`; None for a pushed view."""
    retention_us: int | None = None
    """How far back a read may ask of a view that is pruned; None: nothing is ever pruned."""

    @property
    def reach_us(self) -> int:
        """How long before an as-of time its windows may begin; 0 for a lookup view."""
        return max((call.reach_us for call in self.windows.values()), default=0)


def oldest_event_us(layout: ViewLayout, as_of_us: int) -> int:
    """Return the first event time that any window of a read at `as_of_us` or later may hold."""
    return min(window_start_us(call, as_of_us) for call in layout.windows.values())


def visible_us(layout: ViewLayout, as_of_us: int) -> int:
    """Return the last instant whose rows a read at `as_of_us` may see.

    A pushed view shows everything up to the as-of time; a view with a cadence shows what its
    last materialisation at or before the as-of time saw. Boundaries count from 1970 UTC.
    """
    if layout.cadence_us is None:
        return as_of_us
    return as_of_us - as_of_us % layout.cadence_us
