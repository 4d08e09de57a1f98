"""A scoring process as one of several: what it is, where the others are, and its part for all."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.errors import TondoError
from tondo.faces.scorer.cells import Cells
from tondo.faces.scorer.pool.counts import SharedCounts
from tondo.faces.scorer.pool.figures import Figures
from tondo.faces.scorer.pool.members import RunFolder
from tondo.faces.scorer.pool.revival import Revival
from tondo.faces.scorer.pool.rolls import Rolls
from tondo.faces.scorer.tally import add

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tondo.faces.scorer.pool.members import Kind
    from tondo.faces.scorer.pool.rolls import Segments
    from tondo.faces.scorer.tally import Tally
    from tondo.ports.launcher import MemberLauncher

_log = logging.getLogger("tondo.scorer")

_OF_ONE_MEMBER = ("--role", "--only")
"""Options that a member does not hand on to whom it starts."""


def common(arguments: Sequence[str]) -> list[str]:
    """Return a command line without what is of one member only.

    >>> common(["--root", "x", "--role", "worker", "--port", "1"])
    ['--root', 'x', '--port', '1']
    """
    kept: list[str] = []
    each = iter(arguments)
    for argument in each:
        if argument in _OF_ONE_MEMBER:
            next(each, None)
        else:
            kept.append(argument)
    return kept


class Membership:
    """What one scoring process is among others.

    A worker and an isolated process are given the run folder. A scorer that is alone makes one
    when the plan asks for isolated processes, and starts a supervisor for them, which ends with it.
    """

    def __init__(
        self,
        kind: Kind | None,
        launcher: MemberLauncher,
        arguments: Sequence[str],
        *,
        run: Path | None = None,
        name: str = "",
        keep_open: Sequence[int] = (),
    ) -> None:
        self.kind = kind
        self.isolated: Callable[[], object] = tuple
        """What the plan wants isolated; empty while nobody has said so."""
        self.figures: Callable[[], dict[str, Any]] = dict
        """What we tell the others of ourselves."""
        self.roll: Callable[[], Segments] = dict
        """Closes our segments of the log."""
        self._launcher = launcher
        self._arguments = common(arguments)
        self._name = name
        self._keep_open = list(keep_open)
        self._given = run
        self._run: RunFolder | None = None if run is None else RunFolder(run)
        self._lifeline = -1
        self._started = 0
        self._revival: Revival | None = None
        self._rolls: Rolls | None = None

    def run(self) -> RunFolder:
        """Return the run folder."""
        if self._run is None:
            self._run = RunFolder(Path(tempfile.mkdtemp(prefix="tondo-scorer-")))
        return self._run

    def enter(self) -> None:
        """Take our place, not answering yet."""
        if self.kind is not None:
            self.run().enter(self.kind, self._name)

    def ready(self) -> None:
        """Say that we answer."""
        if self.kind is not None:
            self.run().enter(self.kind, self._name, ready=True)

    def look(self) -> bool:
        """Do our part for all, a few times a second; return False when we have to end."""
        if self.kind is None and self._run is None and not self.isolated():
            return True
        if self._revival is None:
            start = None if self.kind == "isolated" else self._start_supervisor
            needed = (lambda: True) if self.kind is not None else lambda: bool(self.isolated())
            self._revival = Revival(self.run(), self.kind or "worker", start, needed=needed)
        self._tell()
        return self._revival.look()

    def _tell(self) -> None:
        """Say how we are, and close our segments where that was asked for."""
        try:
            if self.kind == "worker":
                Figures(self.run()).tell(self.figures())
            if self.kind is not None:
                self.rolls().look()
        except (OSError, TondoError) as error:
            _log.warning("the others are not told of process %d: %s", os.getpid(), error)

    def rolls(self) -> Rolls:
        """Return what closes segments in all processes."""
        if self._rolls is None:
            self._rolls = Rolls(self.run(), self.roll)
        return self._rolls

    def cells(self) -> Cells:
        """Return where this process counts: in a file where others tell of it too."""
        alone = self.kind is None
        return Cells() if alone else Cells(SharedCounts(self.run().path).own_file())

    def counted_by_all(self, mine: Cells) -> Tally:
        """Return what all processes of this scorer have counted, isolated models' too."""
        if self.kind is not None:
            return SharedCounts(self.run().path).read()
        tally = dict(mine.read())
        if self._run is not None:
            add(tally, SharedCounts(self._run.path).read().items())
        return tally

    def workers(self) -> list[dict[str, Any]]:
        """Return what each worker tells of itself, ourselves as of now."""
        mine = self.figures()
        others = [] if self.kind != "worker" else Figures(self.run()).of_others()
        return sorted([mine, *others], key=lambda each: int(each["pid"]))

    @property
    def others(self) -> int:
        """How many other workers there are."""
        return 0 if self._revival is None else max(0, self._revival.others)

    @property
    def with_others(self) -> bool:
        """Whether there may be other processes of this scorer."""
        return self._run is not None

    def state(self) -> dict[str, object] | None:
        """Return what the supervisor tells of all, None where we are alone."""
        return None if self._run is None else self._run.read_state()

    def leave(self) -> None:
        """Give our place up; who is alone takes its isolated processes with it."""
        if self.kind is not None:
            self.run().leave(self.kind)
        if self._lifeline >= 0:
            os.close(self._lifeline)
        if self._given is None and self._run is not None:
            shutil.rmtree(self._run.path, ignore_errors=True)

    def _start_supervisor(self) -> None:
        with contextlib.suppress(ChildProcessError):
            if self._started:
                os.waitpid(self._started, os.WNOHANG)
        own = ["--role", "supervisor"]
        if self.kind is None:
            own += ["--workers", "0", "--run", str(self.run().path), "--parent-fd", self._pipe()]
        self._started = self._launcher.start([*self._arguments, *own], keep_open=self._keep_open)

    def _pipe(self) -> str:
        """Return the descriptor whose end tells our processes that we are gone."""
        if self._lifeline < 0:
            theirs, self._lifeline = os.pipe()
            self._keep_open.append(theirs)
        return str(self._keep_open[-1])
