"""Time-ordered unique ids (UUIDv7, RFC 9562 section 5.7) for happenings."""

from __future__ import annotations

import os
import threading
from random import Random


class IdSource:
    """Makes UUIDv7 ids that grow within a process, whatever the clock does.

    The 12 bits after the millisecond count ids within it, so two ids made by one source
    always compare in the order they were made.

    >>> import uuid
    >>> source = IdSource()
    >>> first, second = source.make(1_000), source.make(1_000)
    >>> first < second
    True
    >>> uuid.UUID(first).version
    7
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._seed()

    def _seed(self) -> None:
        # Seeded by the system; an id is a name, not a secret, and a scorer makes one a request.
        self._random_bits = Random(os.urandom(32)).getrandbits  # noqa: S311
        self._process = os.getpid()

    def make(self, now_us: int) -> str:
        """Return a new id for the instant `now_us` (microseconds since 1970, UTC)."""
        tick = (now_us // 1000) << 12 | (now_us % 1000) << 2
        with self._lock:
            if tick <= self._last:
                tick = self._last + 1
            self._last = tick
            if os.getpid() != self._process:
                self._seed()  # a fork would repeat our numbers
            noise = self._random_bits(62)
        value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0b10 << 62 | noise
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
