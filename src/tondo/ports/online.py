"""The online store port: bytes by key, for packed feature values and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class OnlineStore(Protocol):
    """Sorted bytes to bytes. Readers never wait for the writer and see whole batches only.

    Keys and values are made by `scoring/online.py`; the store knows nothing of features.
    """

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key in one consistent view, None where absent."""
        ...

    def scan(self, start: bytes, stop: bytes) -> list[tuple[bytes, bytes]]:
        """Return all pairs with start <= key < stop in key order."""
        ...

    def put_many(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Write all pairs at once; visible to every process when this returns."""
        ...

    def delete_range(self, start: bytes, stop: bytes) -> int:
        """Delete start <= key < stop; return how many."""
        ...

    def close(self) -> None:
        """Release the store."""
        ...
