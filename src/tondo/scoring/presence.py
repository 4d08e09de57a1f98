"""Which scorers run on a workspace: one small file each, written when one answers.

Comes in: the workspace's folder. Goes out: addresses to look at. Holds: a scorer needs nobody who
reads, and a file that a killed scorer left behind is known as such on the machine it ran on.
"""

from __future__ import annotations

import contextlib
import os
import platform
from typing import TYPE_CHECKING

import msgspec

from tondo.core.canonical import canonical_json

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "serving/scorers"


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """One process that answers scoring requests."""

    address: str
    """Its URL; workers that share a port share it."""
    pid: int
    host: str
    """Name of the machine that it runs on."""
    certificate: str | None = None
    """File with the certificate that it shows; None without TLS."""


def announce(root: Path, address: str, *, certificate: Path | None = None) -> None:
    """Say that this process answers at `address`, until it says `withdraw`."""
    folder = root / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _forget_ended(folder)
    shown = None if certificate is None else str(certificate.absolute())
    mine = Presence(address=address, pid=os.getpid(), host=platform.node(), certificate=shown)
    path = _path(root)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(canonical_json(mine))
    temporary.replace(path)


def withdraw(root: Path) -> None:
    """Take back what `announce` said; nothing where it said nothing."""
    _path(root).unlink(missing_ok=True)


def _path(root: Path) -> Path:
    return root / _FOLDER / f"{platform.node()}-{os.getpid()}.json"


def present_scorers(root: Path) -> list[Presence]:
    """Return those that run, one for each address, in the order of their addresses."""
    found = {each.address: each for _, each in _read(root / _FOLDER) if not _has_ended(each)}
    return [found[address] for address in sorted(found)]


def _read(folder: Path) -> list[tuple[Path, Presence]]:
    found = []
    for path in sorted(folder.glob("*.json")):
        # One that ends takes its file away while we read.
        with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
            found.append((path, msgspec.json.decode(path.read_bytes(), type=Presence)))
    return found


def _forget_ended(folder: Path) -> None:
    for path, each in _read(folder):
        if _has_ended(each):
            path.unlink(missing_ok=True)


def _has_ended(presence: Presence) -> bool:
    """Tell whether a process of this machine is gone; of another machine nobody can know."""
    if presence.host != platform.node():
        return False
    try:
        os.kill(presence.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
