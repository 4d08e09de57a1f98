"""The newest event time that was pushed to a view version; one pair of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.scoring.keys import ViewKeys, oldest_first

if TYPE_CHECKING:
    from tondo.ports.online import OnlineStore
    from tondo.scoring.layout import ViewLayout

_WIDTH = 8


def pack_newest(event_time_us: int) -> bytes:
    """Return the stored bytes of an instant.

    >>> unpack_newest(pack_newest(-5))
    -5
    """
    return oldest_first(event_time_us)


def unpack_newest(data: bytes | None) -> int | None:
    """Return the stored instant, None where nothing was pushed."""
    return None if data is None else int.from_bytes(data[:_WIDTH]) - (1 << 63)


def newest_pushed_us(layout: ViewLayout, online: OnlineStore) -> int | None:
    """Return the newest event time that was pushed; without event times, the last push."""
    return unpack_newest(online.get_many([ViewKeys(layout).newest])[0])
