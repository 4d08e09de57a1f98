"""A workspace, opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tondo.core.errors import NotFoundError, PlatformError
from tondo.workspace.bootstrap.parts import Parts

if TYPE_CHECKING:
    from tondo.adapters.clocks.manual import ManualClock
    from tondo.ports.clock import Clock
    from tondo.workspace.facade import Workspace


def open_workspace(path: str | Path = ".", *, clock: Clock | None = None) -> Workspace:
    """Open the project in `path`; its state is made in `.tondo` on first use.

    :param path: folder with the project's YAML files (there may be none yet).
    :param clock: the clock to live by; the machine's own when None.
    :raises NotFoundError: TD-WORKSPACE-001 when the folder is not there.
    :raises PlatformError: TD-WORKSPACE-002 when the state folder cannot be made.
    """
    from tondo.adapters.clocks.system import SystemClock
    from tondo.workspace.facade import Workspace

    root = Path(path)
    if not root.is_dir():
        raise NotFoundError(
            "TD-WORKSPACE-001",
            f"there is no folder {root}",
            expected="the folder of a tondo project",
            fix="Make one with: tondo init --data FILE --label COLUMN",
            path=str(root),
        )
    parts = Parts(root, clock or SystemClock())
    try:
        parts.state.mkdir(exist_ok=True)
    except OSError as error:
        raise PlatformError(
            "TD-WORKSPACE-002",
            f"the state folder {parts.state} cannot be made: {error.strerror}",
            expected="a folder that can be written to",
            fix="Check its permissions and the space on the disk.",
            path=str(parts.state),
        ) from None
    return Workspace(parts)


def manual_clock(start_us: int) -> ManualClock:
    """Return a clock that stands at `start_us` until it is moved by hand."""
    from tondo.adapters.clocks.manual import ManualClock

    return ManualClock(start_us)
