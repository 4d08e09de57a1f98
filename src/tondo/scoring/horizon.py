"""The instant before which a pruned view cannot be read, and how many events came too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import CallerError
from tondo.core.instants import format_instant

if TYPE_CHECKING:
    from tondo.scoring.layout import ViewLayout


def pack_number(number: int) -> bytes:
    """Return the stored bytes of an instant or a count.

    >>> read_number(pack_number(-5)), read_number(None)
    (-5, None)
    """
    return number.to_bytes(8, signed=True)


def read_number(data: bytes | None) -> int | None:
    """Return a stored instant or count; None where there is none."""
    return None if data is None else int.from_bytes(data, signed=True)


def check_horizon(layout: ViewLayout, horizon_us: int | None, as_of_us: int) -> None:
    """Raise TD-ONLINE-021 when a read asks for what may have been pruned."""
    if horizon_us is None or as_of_us >= horizon_us:
        return
    raise CallerError(
        "TD-ONLINE-021",
        f"view '{layout.view}' is asked as of {format_instant(as_of_us)}, but what was needed "
        f"for reads before {format_instant(horizon_us)} has been pruned",
        expected="an instant within the view's retention",
        fix="Ask for a later instant, or join the source offline; a longer `retention:` in the "
        "view keeps more from now on.",
        view=layout.view,
    )
