"""Time-ordered unique ids (UUIDv7, RFC 9562 section 5.7) for happenings.

What may be done twice gets an id from what it is made of instead (UUIDv8, section 5.8).
"""

from __future__ import annotations

import hashlib
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
        return self.make_many(now_us, 1)[0]

    def make_many(self, now_us: int, number: int) -> list[str]:
        """Return `number` new ids for one instant, in their order; many cost a third each."""
        tick = (now_us // 1000) << 12 | (now_us % 1000) << 2
        with self._lock:
            if tick <= self._last:
                tick = self._last + 1
            self._last = tick + number - 1
            if os.getpid() != self._process:
                self._seed()  # a fork would repeat our numbers
            noise = self._random_bits(64 * number)
        text = f"{noise:0{16 * number}x}"
        made: list[str] = []
        millisecond, begin = -1, ""
        for at in range(0, 16 * number, 16):
            if tick >> 12 != millisecond:
                millisecond = tick >> 12
                begin = f"{millisecond >> 16:08x}-{millisecond & 0xFFFF:04x}-7"
            made.append(
                f"{begin}{tick & 0xFFF:03x}"
                f"-{_VARIANT[text[at]]}{text[at + 1 : at + 4]}-{text[at + 4 : at + 16]}"
            )
            tick += 1
        return made


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


def _text(tick: int, noise: str) -> str:
    """Return the id of a tick and 64 random bits in hexadecimal, of which two are the variant."""
    head = f"{tick:015x}"
    return f"{head[:8]}-{head[8:12]}-7{head[12:]}-{_VARIANT[noise[0]]}{noise[1:4]}-{noise[4:]}"


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""A random hexadecimal digit to one whose first two bits are the variant of RFC 9562: 10."""
