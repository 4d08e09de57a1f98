"""Time-ordered unique ids (UUIDv7, RFC 9562 section 5.7) for happenings.

What may be done twice gets an id from what it is made of instead (UUIDv8, section 5.8).
"""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from functools import partial


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
        self._last = 0
        self._millisecond, self._begin = -1, ""
        self._forget()
        os.register_at_fork(after_in_child=partial(_forget_in_child, weakref.ref(self)))

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._noise, self._at = "", 0

    def make(self, now_us: int) -> str:
        """Return a new id for the instant `now_us` (microseconds since 1970, UTC)."""
        return self.make_many(now_us, 1)[0]

    def make_many(self, now_us: int, number: int) -> list[str]:
        """Return `number` new ids for one instant, in their order; many cost a third each."""
        tick = (now_us // 1000) << 12 | (now_us % 1000) << 2
        made: list[str] = []
        with self._lock:
            if tick <= self._last:
                tick = self._last + 1
            self._last = tick + number - 1
            at, end = self._at, self._at + 16 * number
            if end > len(self._noise):
                self._noise = os.urandom(8 * max(number, _DRAWN)).hex()
                at, end = 0, 16 * number
            noise, self._at = self._noise, end
            while at < end:
                if tick >> 12 != self._millisecond:
                    self._millisecond = millisecond = tick >> 12
                    self._begin = f"{millisecond >> 16:08x}-{millisecond & 0xFFFF:04x}-7"
                made.append(
                    f"{self._begin}{tick & 0xFFF:03x}"
                    f"-{_VARIANT[noise[at]]}{noise[at + 1 : at + 4]}-{noise[at + 4 : at + 16]}"
                )
                at += 16
                tick += 1
        return made


def _forget_in_child(source: weakref.ref[IdSource]) -> None:
    """Let a forked process draw bits of its own; the lock may have been held when it came to be."""
    made = source()
    if made is not None:
        made._forget()  # noqa: SLF001 - the same class, from outside for the system's sake


def derived_id(*parts: str) -> str:
    """Return the id (UUIDv8) of what is made of `parts`: whoever makes it again gets it again.

    >>> derived_id("shadow", "p1") == derived_id("shadow", "p1")
    True
    >>> derived_id("a", "bc") == derived_id("ab", "c")
    False
    """
    # A separator that is no text keeps ("a", "bc") from ("ab", "c").
    digest = hashlib.blake2b(b"\xff".join(map(str.encode, parts)), digest_size=16).hexdigest()
    rest = f"{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:]}"
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{rest}"


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""A random hexadecimal digit to one whose first two bits are the variant of RFC 9562: 10."""

_DRAWN = 128
"""Ids whose random bits are drawn from the system at once: a call for each would cost as much again
as making it, one for thousands would be seen by the request that waits for it."""
