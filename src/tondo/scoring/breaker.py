"""A circuit breaker: who has failed often in a row is left alone for a while."""

from __future__ import annotations

import threading


class Breaker:
    """Counts failures of one outside thing; used from several threads.

    Closed, it lets everything through. After `failures` failures in a row it opens for `pause_us`;
    then one request tries, and its outcome closes it or opens it again.

    >>> breaker = Breaker(failures=2, pause_us=10)
    >>> for at_us in (0, 1):
    ...     breaker.failed(at_us)
    >>> breaker.allows(5), breaker.allows(11), breaker.allows(12)
    (False, True, False)
    >>> breaker.succeeded()
    >>> breaker.allows(13)
    True
    """

    def __init__(self, *, failures: int, pause_us: int) -> None:
        self._most = failures
        self._pause_us = pause_us
        self._guard = threading.Lock()
        self._in_a_row = 0
        self._open_until_us: int | None = None

    def allows(self, now_us: int) -> bool:
        """Say whether to ask now; of an open breaker whose pause is over, one asker is let in."""
        with self._guard:
            if self._open_until_us is None:
                return True
            if now_us < self._open_until_us:
                return False
            self._open_until_us = now_us + self._pause_us
            return True

    def succeeded(self) -> None:
        """Close: an answer came."""
        with self._guard:
            self._in_a_row = 0
            self._open_until_us = None

    def failed(self, now_us: int) -> None:
        """Count a failure; open when there were too many in a row."""
        with self._guard:
            self._in_a_row += 1
            if self._in_a_row >= self._most:
                self._open_until_us = now_us + self._pause_us
