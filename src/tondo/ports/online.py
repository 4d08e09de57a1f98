"""The online store port: bytes by key, for packed feature values and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class OnlineStore(Protocol):
    """Sorted bytes to bytes. Readers never wait for the writer and see whole batches only.

    Keys and values are made by `scoring/online.py`; the store knows nothing of features.
    A key has 1 to 511 bytes: a longer one raises CallerError TD-ONLINE-004.
    """

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key in one consistent view, None where absent."""
        ...

    def scan(self, start: bytes, stop: bytes) -> list[tuple[bytes, bytes]]:
        """Return all pairs with start <= key < stop in key order."""
        ...

    def scan_many(
        self, ranges: Sequence[tuple[bytes, bytes, int]]
    ) -> list[list[tuple[bytes, bytes]]]:
        """Return per (start, stop, most) the first `most` pairs (0: all), in one consistent view.

        One call serves a whole request: a get is a range of one, the newest row at or before
        an instant is the first pair of its range, a window is a range without a limit.
        """
        ...

    def put_many(
        self,
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,
        delete: Iterable[bytes] = (),
    ) -> None:
        """Write all pairs at once or none; visible to every process when this returns.

        Keys of `delete` are taken away in the same instant, where they are there.

        `durable=False` leaves the flush to the device to the system; only for what another
        durable place (the event log) can bring back after a power loss. A full disk raises
        PlatformError TD-ONLINE-005, and nothing of the batch is there.
        """
        ...

    def put_if(
        self,
        expected: Sequence[tuple[bytes, bytes | None]],
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,
    ) -> bool:
        """Write as `put_many` if every expected key has its value still (None: is absent).

        Returns whether it wrote; between the look and the write nobody else writes.
        """
        ...

    def delete_range(self, start: bytes, stop: bytes) -> int:
        """Delete start <= key < stop; return how many."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...
