"""Leases: one process at a time works on a key, and a dead one stands in nobody's way."""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.errors import ConflictError, PlatformError
from tondo.core.instants import format_instant
from tondo.ledger.executions import LeaseRow

if TYPE_CHECKING:
    from tondo.ledger.ledger import Ledger

_LOG = logging.getLogger(__name__)
# Only for holders on another machine, which cannot be asked whether they live. Three beats may
# be missed before another machine takes over.
LEASE_US = 30_000_000
_BEAT_S = 10.0


class Lease:
    """A held lease. Every commit under it calls `check`; a thread renews it meanwhile."""

    def __init__(self, ledger: Ledger, row: LeaseRow) -> None:
        self._ledger = ledger
        self.key = row.key
        self.fence = row.fence
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="tondo-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise TD-FLOW-002 when another execution has taken over; inside the transaction."""
        row = self._ledger.executions.lease(self.key)
        if row is None or row.fence != self.fence:
            raise ConflictError(
                "TD-FLOW-002",
                f"the execution '{self.key}' was taken over by another process",
                expected=f"fencing token {self.fence}, found {row.fence if row else 'none'}",
                fix="Nothing of this late step was kept; follow the other execution.",
                key=self.key,
                execution=row.execution if row else None,
            )

    def free(self) -> None:
        """Give the lease back, if it is still ours."""
        self._ledger.executions.free(self.key, self.fence)

    def stop(self) -> None:
        """Stop renewing."""
        self._ended.set()

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            expires = self._ledger.clock.now_us() + LEASE_US
            try:
                if not self._ledger.executions.renew(self.key, self.fence, expires_at_us=expires):
                    return
            except PlatformError:
                _LOG.warning("the lease of %s could not be renewed", self.key, exc_info=True)


def take(ledger: Ledger, key: str, *, execution: str) -> tuple[LeaseRow, str | None]:
    """Take the lease of a key inside the open transaction.

    Returns the lease and the execution that held it before and died, if there was one.
    TD-FLOW-001 when its holder is alive.
    """
    present = ledger.executions.lease(key)
    now_us = ledger.clock.now_us()
    if present is not None and present.holder is not None and _holds(present, now_us=now_us):
        raise _running(key, present)
    row = LeaseRow(
        key=key,
        fence=1 if present is None else present.fence + 1,
        execution=execution,
        holder={**identity(), "pid": os.getpid(), "started": process_start(os.getpid())},
        expires_at_us=now_us + LEASE_US,
    )
    ledger.executions.hold(row)
    return row, None if present is None else present.execution


def _holds(lease: LeaseRow, *, now_us: int) -> bool:
    alive = is_alive(lease.holder or {})
    return lease.expires_at_us > now_us if alive is None else alive


def is_alive(holder: dict[str, Any]) -> bool | None:
    """Say whether the process of a lease lives; None when it cannot be known from here."""
    here = identity()
    if holder.get("host") != here["host"]:
        return None
    if holder.get("boot") != here["boot"]:
        return False
    if holder.get("namespace") != here["namespace"]:
        return None
    pid = int(holder.get("pid", 0))
    if here["boot"]:
        # The start time tells a process from a later one that was given the same number.
        started = process_start(pid)
        return started is not None and started == holder.get("started")
    return _answers(pid)


@functools.cache
def identity() -> dict[str, str]:
    """Return what says whether two process numbers can be compared at all."""
    return {
        "host": socket.gethostname(),
        "boot": _first_line("/proc/sys/kernel/random/boot_id"),
        "namespace": _link("/proc/self/ns/pid"),
    }


def process_start(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it is gone.

    A process that ended and was not waited for yet counts as gone.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The second field is the command in parentheses and may hold blanks (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _running(key: str, lease: LeaseRow) -> ConflictError:
    holder = lease.holder or {}
    return ConflictError(
        "TD-FLOW-001",
        f"the execution '{key}' is already running, in process {holder.get('pid')} "
        f"on {holder.get('host')}",
        expected=f"that it has ended, or its lease to end at {format_instant(lease.expires_at_us)}",
        fix="Wait for it, or end that process and run again: it goes on where it was.",
        key=key,
        execution=lease.execution,
        pid=holder.get("pid"),
        host=holder.get("host"),
    )
