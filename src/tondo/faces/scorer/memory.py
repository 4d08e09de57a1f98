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


def processor_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used, None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
