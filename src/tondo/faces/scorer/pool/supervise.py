"""`tondo-scorer --workers 1..4`: bind, then supervise; also for a supervisor started anew."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.faces.scorer.pool.members import RunFolder
from tondo.faces.scorer.pool.membership import common
from tondo.faces.scorer.pool.scale import Scale
from tondo.faces.scorer.pool.supervisor import Supervisor

if TYPE_CHECKING:
    import argparse
    import socket
    from collections.abc import Callable, Mapping, Sequence

    from tondo.ports.launcher import MemberLauncher


def supervise(
    options: argparse.Namespace,
    arguments: Sequence[str],
    listener: socket.socket | None,
    *,
    launcher: MemberLauncher,
    isolated: Callable[[], Mapping[str, int | None]],
    ready: Callable[[], None],
) -> int:
    """Supervise until told to end; return the exit code.

    `listener` is given to the first supervisor, which makes the run folder; those after it are
    told where both are.
    """
    handed = common(arguments)
    keep_open = [] if options.parent_fd is None else [options.parent_fd]
    if listener is not None:
        folder = Path(tempfile.mkdtemp(prefix="tondo-scorer-"))
        handed += ["--run", str(folder), "--listen-fd", str(listener.fileno())]
        handed += ["--port", str(listener.getsockname()[1])]
        keep_open.append(listener.fileno())
    else:
        folder = options.run
        keep_open += [] if options.listen_fd is None else [options.listen_fd]
    run = RunFolder(folder)
    run.enter("supervisor")
    if not _first(run):
        run.leave("supervisor")
        return 0
    least, most = options.workers
    supervisor = Supervisor(
        run,
        launcher,
        handed,
        scale=Scale(least, most),
        isolated=isolated,
        keep_open=keep_open,
        parent_fd=options.parent_fd,
    )
    try:
        return supervisor.run(None if listener is None else ready)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first(run: RunFolder) -> bool:
    """Whether no other supervisor was there before us: two workers may have started one each."""
    return run.members("supervisor")[0].pid == run.enter("supervisor").pid
