"""Processes that do not end with this one."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESERVE_MB = 1024
"""Memory that libraries reserve and never touch: stacks of threads, arenas. What is touched is
watched by whoever started the process; this limit stops what would be faster than it looks."""


class DetachedLauncher:
    """Starts `python -m <module>` in a session of its own."""

    def __init__(self, module: str = "tondo.faces.scorer") -> None:
        self._module = module

    def start(
        self,
        arguments: Sequence[str],
        *,
        keep_open: Sequence[int] = (),
        memory_mb: int | None = None,
        niceness: int = 0,
    ) -> int:
        """Start it; its data may be `memory_mb` and some reserve, its priority is lowered."""
        popen = subprocess.Popen(
            [sys.executable, "-m", self._module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=tuple(keep_open),
            start_new_session=True,
        )
        popen.returncode = 0  # whoever started it buries it, by its id
        with contextlib.suppress(ProcessLookupError):
            if memory_mb is not None:
                most = (memory_mb + _RESERVE_MB) << 20
                resource.prlimit(popen.pid, resource.RLIMIT_DATA, (most, most))
            if niceness:
                os.setpriority(os.PRIO_PROCESS, popen.pid, niceness)
        return popen.pid
