"""What this process, or another, takes of the machine: memory and processor time."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path


def resident_bytes(pid: int | str = "self") -> int:
    """Return the resident memory of a process, 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Return freed memory to the system, so that what is resident is what is in use.

    A collection first: compiled decoders are classes, which hold themselves in circles.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU library only
    if trim is not None:
        trim(0)


def busy_seconds(pid: int) -> float | None:
    """Return for how long a process had something to do: on a processor, or waiting for one.

    None when it is gone. Where others use the processors too, the time on one alone would show a
    process at its limit as idle.
    """
    try:
        tasks = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        return None
    return sum(int(ran) + int(waited) for ran, waited, _ in tasks) / 1e9 if tasks else None
