"""The processes that a supervisor has in its care: its own children, and those it found."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tondo.faces.scorer.pool.members import Kind, Member

GRACE_S = 12.0
"""Longer than a process needs to finish what it has begun."""


class Roster:
    """Watches processes by their descriptors, so that an end is known at once."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}
        self._descriptors: dict[int, int] = {}
        self._deadlines: dict[int, float] = {}
        """Those that were asked to end, and when they are made to."""
        self._selector = selectors.DefaultSelector()

    def __len__(self) -> int:
        """Return how many still run, also of those that were asked to end."""
        return len(self._members)

    def of(self, kind: Kind) -> list[Member]:
        """Return those of a kind that nobody asked to end, in the order they were taken in."""
        return [
            each
            for each in self._members.values()
            if each.kind == kind and each.pid not in self._deadlines
        ]

    def all(self) -> list[Member]:
        """Return every one that runs."""
        return list(self._members.values())

    def take(self, member: Member) -> None:
        """Watch a process from now on."""
        self._members[member.pid] = member
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(member.pid)
            self._descriptors[member.pid] = descriptor
            self._selector.register(descriptor, selectors.EVENT_READ)

    def gone(self) -> list[tuple[Member, bool]]:
        """Return who has ended since the last call, and whether it was asked to; watch no more.

        Whoever was asked and takes too long is killed.
        """
        now = time.monotonic()
        ended = [each for each in self._members.values() if not each.alive]
        for member in ended:
            self._drop(member)
        for pid, deadline in self._deadlines.items():
            if now > deadline:
                _send(pid, signal.SIGKILL)
        return [(each, self._deadlines.pop(each.pid, None) is not None) for each in ended]

    def ask_to_end(self, member: Member) -> None:
        """Let it finish what it has begun, and end."""
        if member.pid not in self._deadlines:
            self._deadlines[member.pid] = time.monotonic() + GRACE_S
            _send(member.pid, signal.SIGTERM)

    @staticmethod
    def kill(member: Member) -> None:
        """End it at once; it is gone as if it had crashed."""
        _send(member.pid, signal.SIGKILL)

    def listen(self, descriptor: int) -> None:
        """Wake up from `wait` also when there is something to read."""
        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> set[int]:
        """Wait until something happens; return the descriptors on which it did."""
        return {key.fd for key, _ in self._selector.select(timeout_s)}

    def _drop(self, member: Member) -> None:
        del self._members[member.pid]
        descriptor = self._descriptors.pop(member.pid, None)
        if descriptor is not None:
            self._selector.unregister(descriptor)
            os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(member.pid, os.WNOHANG)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
