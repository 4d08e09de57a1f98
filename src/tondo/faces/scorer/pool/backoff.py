"""When what has ended may be started again."""

from __future__ import annotations

STEADY_S = 10.0
"""Who has run for so long has begun well: what ends it later is a new misfortune."""

_FIRST_S = 0.2
_MOST_S = 30.0


class Backoff:
    """At once after a good run; after each bad one for twice as long as before, up to 30 s.

    >>> backoff = Backoff()
    >>> backoff.started(0.0); backoff.ended(60.0); backoff.may_start(60.0)
    True
    >>> for at in (60.0, 61.0, 62.0): backoff.started(at); backoff.ended(at + 0.1)
    >>> backoff.failures, backoff.may_start(62.2), backoff.may_start(63.0)
    (3, False, True)
    """

    def __init__(self) -> None:
        self.failures = 0
        """Short runs, one after the other."""
        self.restarts = 0
        self._started_at = 0.0
        self._not_before = 0.0

    def started(self, now_s: float) -> None:
        """Note a start."""
        self._started_at = now_s

    def ended(self, now_s: float) -> None:
        """Note an end that nobody asked for."""
        self.restarts += 1
        steady = now_s - self._started_at >= STEADY_S
        self.failures = 0 if steady else self.failures + 1
        # The first misfortune costs no time: a worker that was killed is back at once.
        delay = 0.0 if self.failures <= 1 else _FIRST_S * 2 ** (self.failures - 1)
        self._not_before = now_s + min(delay, _MOST_S)

    def may_start(self, now_s: float) -> bool:
        """Return whether the time has come."""
        return now_s >= self._not_before

    def waits_s(self, now_s: float) -> float:
        """Return for how long still not, 0.0 when the time has come."""
        return max(0.0, self._not_before - now_s)
