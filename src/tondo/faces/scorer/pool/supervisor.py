"""The supervisor: starts the processes of a scorer, and starts anew what has ended.

It answers no request itself, so that nothing a request does can end it. When it is killed the
others go on; a worker starts another supervisor, which finds them by the run folder.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from tondo.faces.scorer.memory import busy_seconds, resident_bytes
from tondo.faces.scorer.pool.backoff import Backoff
from tondo.faces.scorer.pool.counts import SharedCounts
from tondo.faces.scorer.pool.members import Member, started_of
from tondo.faces.scorer.pool.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tondo.faces.scorer.pool.members import Kind, RunFolder
    from tondo.faces.scorer.pool.scale import Scale
    from tondo.ports.launcher import MemberLauncher

_log = logging.getLogger("tondo.scorer")

LOOK_S = 0.2
_MEASURE_S = 1.0

SILENT_S = 30.0
"""A process that has not turned its event loop for so long will not any more."""

_NICENESS = 5
"""Isolated models yield to those that share a process, where there are too few processors."""


class Supervisor:
    """Keeps as many workers as `scale` wants, and a process for each isolated deployment.

    `isolated` returns deployment to memory limit in MB (None: no limit) as the plan says now.
    `arguments` are a scorer's, to which each member's own are added; the descriptors `keep_open`
    are handed to all. The end of `parent_fd` is ours.
    """

    def __init__(
        self,
        run: RunFolder,
        launcher: MemberLauncher,
        arguments: Sequence[str],
        *,
        scale: Scale,
        isolated: Callable[[], Mapping[str, int | None]],
        keep_open: Sequence[int] = (),
        parent_fd: int | None = None,
    ) -> None:
        self._run = run
        self._counts = SharedCounts(run.path)
        self._launcher = launcher
        self._arguments = [*arguments]
        self._scale = scale
        self._isolated = isolated
        self._keep_open = tuple(keep_open)
        self._parent_fd = parent_fd
        self._roster = Roster()
        self._backoffs: dict[str, Backoff] = {}
        self._limits: Mapping[str, int | None] = {}
        self._used: dict[int, float] = {}
        self._shares: Mapping[int, float] = {}
        """What each process took of a processor of late."""
        self._told_of: set[int] = set()
        """The processes that others were told of last."""
        self._measured_at = 0.0
        self._ending = False

    def run(self, ready: Callable[[], None] | None) -> int:
        """Run until SIGTERM, SIGINT or the parent's end; return the exit code.

        `ready` is called once when as many workers answer as there must be. A worker that ends
        before that ends everything: what it wrote to standard error says why. A supervisor that
        was started anew has None: the scorer has begun long ago.
        """
        woken = self._listen()
        self._adopt()
        told = ready is None
        while not self._ending:
            self._look(time.monotonic())
            if ready is not None and not told:
                there = [each for each in self._run.members("worker") if each.ready]
                told = len(there) >= self._scale.least
                if told:
                    ready()
                elif self._backoff("worker").failures:
                    return self._stop(2)
            for descriptor in self._roster.wait(LOOK_S) & woken:
                if not _read(descriptor) and descriptor == self._parent_fd:
                    self._ending = True
        return self._stop(0)

    def _listen(self) -> set[int]:
        """Let signals and the parent's end wake us; return the descriptors that do."""
        reads, writes = os.pipe()
        os.set_blocking(writes, False)
        signal.set_wakeup_fd(writes)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._end)
        signal.signal(signal.SIGCHLD, _nothing)
        woken = {reads} if self._parent_fd is None else {reads, self._parent_fd}
        for descriptor in woken:
            self._roster.listen(descriptor)
        return woken

    def _end(self, *_: Any) -> None:
        self._ending = True

    def _adopt(self) -> None:
        """Take in who is there from before."""
        for member in (*self._run.members("worker"), *self._run.members("isolated")):
            self._roster.take(member)
        self._scale.count = max(self._scale.count, len(self._roster.of("worker")))
        self._scale.count = min(self._scale.count, self._scale.most)

    def _look(self, now: float) -> None:
        """Bury what has ended, measure, end what is too much, start what is missing; tell of it."""
        for member, asked in self._roster.gone():
            self._used.pop(member.pid, None)
            self._run.leave(member.kind, member.pid)
            if not asked:
                self._backoff(member.name).ended(now)
                _log.warning("%s '%s' (%d) has ended", member.kind, member.name, member.pid)
        is_due = now >= self._measured_at + _MEASURE_S
        if is_due:
            self._measure(now)
        self._limits = self._isolated()
        self._end_unwanted()
        self._start_missing(now)
        if is_due or self._told_of != {each.pid for each in self._roster.all()}:
            self._tell(now)

    def _measure(self, now: float) -> None:
        elapsed, self._measured_at = now - self._measured_at, now
        shares = {}
        for member in self._roster.all():
            used = busy_seconds(member.pid) or 0.0
            if member.pid in self._used:
                shares[member.pid] = (used - self._used[member.pid]) / elapsed
            self._used[member.pid] = used
        workers = [shares[each.pid] for each in self._roster.of("worker") if each.pid in shares]
        self._scale.decide(now, workers)
        for member in (*self._run.members("worker"), *self._run.members("isolated")):
            if member.ready and self._run.silent_s(member) > SILENT_S:
                _log.warning("%s %d has been silent: it is killed", member.kind, member.pid)
                self._roster.kill(member)
        self._shares = shares
        self._run.beat("supervisor")

    def _tell(self, now: float) -> None:
        """Write down what is known of the processes, as soon as one is new or gone."""
        self._told_of = {each.pid for each in self._roster.all()}
        try:
            self._counts.add_gone()
            self._run.write_state(self._state(now))
        except OSError as error:
            _log.warning("what is known of the processes is not written down: %s", error)

    def _end_unwanted(self) -> None:
        for member in self._roster.of("worker")[self._scale.count :]:
            _log.warning("worker %d is not needed any more", member.pid)
            self._roster.ask_to_end(member)
        for member in self._roster.of("isolated"):
            limit = self._limits.get(member.name)
            if member.name not in self._limits:
                self._roster.ask_to_end(member)
            elif limit is not None and resident_bytes(member.pid) > limit << 20:
                _log.warning("'%s' takes more than its %d MB: it is killed", member.name, limit)
                self._roster.kill(member)

    def _start_missing(self, now: float) -> None:
        missing = self._scale.count - len(self._roster.of("worker"))
        if missing > 0 and self._backoff("worker").may_start(now):
            for _ in range(missing):
                self._start("worker", "worker", None)
        present = {each.name for each in self._roster.of("isolated")}
        for name, limit in self._limits.items():
            if name not in present and self._backoff(name).may_start(now):
                self._start("isolated", name, limit)

    def _start(self, kind: Kind, name: str, limit: int | None) -> None:
        own = ["--role", kind, *(["--only", name] if kind == "isolated" else [])]
        pid = self._launcher.start(
            [*self._arguments, *own],
            keep_open=self._keep_open,
            memory_mb=limit,
            niceness=_NICENESS if kind == "isolated" else 0,
        )
        self._backoff(name).started(time.monotonic())
        self._roster.take(Member(kind=kind, name=name, pid=pid, started=started_of(pid)))

    def _backoff(self, name: str) -> Backoff:
        return self._backoffs.setdefault(name, Backoff())

    def _state(self, now: float) -> dict[str, Any]:
        """Return what GET /v1/status tells of the processes."""
        isolated = {each.name: each for each in self._roster.of("isolated")}
        return {
            "supervisor": os.getpid(),
            "workers": [
                {"pid": each.pid, "share": round(self._shares.get(each.pid, 0.0), 3)}
                for each in self._roster.of("worker")
            ],
            "wanted": self._scale.count,
            "bounds": [self._scale.least, self._scale.most],
            "restarts": self._backoff("worker").restarts,
            "isolated": {
                name: {
                    "pid": isolated[name].pid if name in isolated else None,
                    "memory_bytes": resident_bytes(isolated[name].pid) if name in isolated else 0,
                    "memory_mb": limit,
                    "restarts": self._backoff(name).restarts,
                    "starts_in_s": round(self._backoff(name).waits_s(now), 1),
                }
                for name, limit in self._limits.items()
            },
        }

    def _stop(self, code: int) -> int:
        """End everybody in order."""
        for member in self._roster.all():
            self._roster.ask_to_end(member)
        while len(self._roster):
            self._roster.gone()
            self._roster.wait(0.05)
        return code


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b"nothing yet"


def _nothing(*_: Any) -> None:
    """Take a signal that is only to wake us."""
