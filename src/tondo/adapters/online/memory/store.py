"""An online store within one process: a dict and its sorted keys."""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_KEY_BYTES = 511
"""As many as LMDB takes, so that what works here works there."""


class MemoryStore:
    """Keeps pairs in memory; a batch is seen whole by every thread.

    >>> store = MemoryStore()
    >>> store.put_many([(b"b", b"2"), (b"a", b"1")])
    >>> store.scan(b"a", b"c")
    [(b'a', b'1'), (b'b', b'2')]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key in one consistent view, None where absent."""
        with self._lock:
            return [self._values.get(key) for key in keys]

    def scan(self, start: bytes, stop: bytes) -> list[tuple[bytes, bytes]]:
        """Return all pairs with start <= key < stop in key order."""
        return self.scan_many([(start, stop, 0)])[0]

    def scan_many(
        self, ranges: Sequence[tuple[bytes, bytes, int]]
    ) -> list[list[tuple[bytes, bytes]]]:
        """Return per (start, stop, most) the first `most` pairs (0: all)."""
        with self._lock:
            return [self._range(start, stop, most) for start, stop, most in ranges]

    def _range(self, start: bytes, stop: bytes, most: int) -> list[tuple[bytes, bytes]]:
        first = bisect_left(self._keys, start)
        last = bisect_left(self._keys, stop)
        if most:
            last = min(last, first + most)
        return [(key, self._values[key]) for key in self._keys[first:last]]

    def put_many(
        self,
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,  # noqa: ARG002 - memory has no device to flush to
        delete: Iterable[bytes] = (),
    ) -> None:
        """Write all pairs at once or none; TD-ONLINE-004 for a key of another length."""
        batch = _checked(pairs)
        gone = set(delete)
        with self._lock:
            self._put(batch)
            if gone:
                self._keys = [key for key in self._keys if key not in gone]
                for key in gone:
                    self._values.pop(key, None)

    def put_if(
        self,
        expected: Sequence[tuple[bytes, bytes | None]],
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,  # noqa: ARG002 - memory has no device to flush to
    ) -> bool:
        """Write all pairs at once if every expected key has its value (None: is absent)."""
        batch = _checked(pairs)
        with self._lock:
            if any(self._values.get(key) != value for key, value in expected):
                return False
            self._put(batch)
            return True

    def _put(self, batch: dict[bytes, bytes]) -> None:
        fresh = [key for key in batch if key not in self._values]
        self._values.update(batch)
        self._keys.extend(fresh)
        self._keys.sort()

    def delete_range(self, start: bytes, stop: bytes) -> int:
        """Delete start <= key < stop; return how many."""
        with self._lock:
            first, last = bisect_left(self._keys, start), bisect_left(self._keys, stop)
            for key in self._keys[first:last]:
                del self._values[key]
            del self._keys[first:last]
            return max(last - first, 0)

    def close(self) -> None:
        """Release nothing; what was put stays readable, as a reopened store's would."""


def _checked(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    batch = dict(pairs)
    for key in batch:
        check_key(key)
    return batch


def check_key(key: bytes) -> None:
    """Raise TD-ONLINE-004 unless the key has 1 to 511 bytes."""
    if not 0 < len(key) <= MAX_KEY_BYTES:
        raise CallerError(
            "TD-ONLINE-004",
            f"an online key of {len(key)} bytes",
            expected=f"1 to {MAX_KEY_BYTES} bytes, view name and entity key together",
            fix="Use a shorter entity key, for example an id or a digest of the long one.",
        )
