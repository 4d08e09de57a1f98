"""The folder in which the processes of one scorer find each other.

Each writes one file when it begins and touches it while it is well. The files are the truth: a
supervisor that begins anew reads from them who is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import Literal

import msgspec

from tondo.core.canonical import canonical_json

Kind = Literal["supervisor", "worker", "isolated"]

_STATE = "state.json"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One process; process ids are used again, its start tells it from others."""

    kind: Kind
    name: str
    """The deployment's name of an isolated one; else the kind."""
    pid: int
    started: int
    """When it was started, in ticks since the machine was."""
    ready: bool = False
    """Whether it answers."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.started != 0 and started_of(self.pid) == self.started


def started_of(pid: int) -> int:
    """Return when a process was started, 0 when there is none or it only waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


class RunFolder:
    """The folder of one scorer's processes, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def socket_of(self, name: str) -> Path:
        """Return where the isolated process of a deployment listens: short, as such paths must."""
        short = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
        return self.path / f"{short}.sock"

    def enter(self, kind: Kind, name: str = "", *, ready: bool = False) -> Member:
        """Write down this process."""
        pid = os.getpid()
        mine = Member(kind=kind, name=name or kind, pid=pid, started=started_of(pid), ready=ready)
        self._write(self._file(kind, pid), canonical_json(mine))
        return mine

    def beat(self, kind: Kind) -> None:
        """Say that this process is well."""
        with contextlib.suppress(OSError):
            os.utime(self._file(kind, os.getpid()))

    def silent_s(self, member: Member) -> float:
        """Return for how long a process has not said that it is well, 0.0 if it never did."""
        try:
            at = self._file(member.kind, member.pid).stat().st_mtime
        except OSError:
            return 0.0
        # The system's clock, as the file's time is: the difference is what counts.
        return max(0.0, time.clock_gettime(time.CLOCK_REALTIME) - at)

    def leave(self, kind: Kind, pid: int | None = None) -> None:
        """Take away what a process has written."""
        of = os.getpid() if pid is None else pid
        self._file(kind, of).unlink(missing_ok=True)
        for path in self.path.glob(f"*.{of}.told"):
            path.unlink(missing_ok=True)

    def members(self, kind: Kind) -> list[Member]:
        """Return the processes of a kind that run, oldest first; files of others are removed."""
        found = []
        for path in self.path.glob(f"{kind}.*.json"):
            with contextlib.suppress(OSError, msgspec.DecodeError):
                member = msgspec.json.decode(path.read_bytes(), type=Member)
                if member.alive:
                    found.append(member)
                else:
                    path.unlink(missing_ok=True)
        return sorted(found, key=lambda each: (each.started, each.pid))

    def write_state(self, state: object) -> None:
        """Write down what the supervisor knows, for those who tell of it."""
        self._write(self.path / _STATE, canonical_json(state))

    def read_state(self) -> dict[str, object]:
        """Return what the supervisor wrote down last."""
        try:
            state: dict[str, object] = msgspec.json.decode((self.path / _STATE).read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}
        return state

    def tell(self, what: str, data: bytes) -> None:
        """Leave something for the others, in place of what was there; OSError when it fails."""
        self._write(self.path / f"{what}.told", data)

    def told(self, what: str) -> bytes:
        """Return what was left, nothing where nothing was."""
        try:
            return (self.path / f"{what}.told").read_bytes()
        except FileNotFoundError:
            return b""

    def _file(self, kind: Kind, pid: int) -> Path:
        return self.path / f"{kind}.{pid}.json"

    def _write(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
        temporary.write_bytes(data)
        temporary.replace(path)
