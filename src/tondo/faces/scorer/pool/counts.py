"""The counts of all workers together, also of those that are gone: a sum that never falls.

Each worker counts in a file of its own (`cells.py`). The supervisor adds the files of workers that
are gone to one file, so that a scorer whose workers come and go does not gather files for ever.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

import msgspec

from tondo.faces.scorer.cells import Key, cells_in
from tondo.faces.scorer.pool.members import started_of
from tondo.faces.scorer.tally import Tally, add

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_GONE = "gone.json"


class _Gone(msgspec.Struct, frozen=True, kw_only=True):
    """What workers that are gone had counted."""

    added: list[str] = []
    """Files that are part of it and may still be there."""
    counts: list[tuple[Key, list[int]]] = []


class SharedCounts:
    """The files of counts in a run folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def own_file(self) -> Path:
        """Return where this process counts: ids of processes are used again, their starts tell."""
        pid = os.getpid()
        return self._folder / f"counts.{pid}.{started_of(pid)}"

    def read(self) -> Tally:
        """Return the sum over all workers that there have been."""
        while True:
            before = self._read_gone()
            gone = _decoded(before)
            tally = dict(gone.counts)
            for path in self._files():
                # One that vanishes has been added meanwhile: the sum is made again.
                with contextlib.suppress(FileNotFoundError):
                    if path.name not in gone.added:
                        add(tally, cells_in(path))
            if self._read_gone() == before:
                return tally

    def add_gone(self) -> None:
        """Take over what workers that are gone had counted; for the supervisor.

        OSError where nothing can be written: their files stay, and are read as before.
        """
        ended = [path for path in self._files() if not _is_counting(path)]
        if not ended:
            return
        with (self._folder / "gone.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            gone = _decoded(self._read_gone())
            tally = dict(gone.counts)
            for path in ended:
                if path.name not in gone.added:
                    with contextlib.suppress(FileNotFoundError):
                        add(tally, cells_in(path))
            names = [path.name for path in ended]
            self._write_gone(_Gone(added=names, counts=[*tally.items()]))
            for path in ended:
                path.unlink(missing_ok=True)

    def _write_gone(self, gone: _Gone) -> None:
        written = self._folder / f"{_GONE}.new"
        written.write_bytes(msgspec.json.encode(gone))
        written.replace(self._folder / _GONE)

    def _files(self) -> Iterator[Path]:
        return self._folder.glob("counts.*")

    def _read_gone(self) -> bytes:
        try:
            return (self._folder / _GONE).read_bytes()
        except FileNotFoundError:
            return b""


def _decoded(data: bytes) -> _Gone:
    return msgspec.json.decode(data, type=_Gone) if data else _Gone()


def _is_counting(path: Path) -> bool:
    _, pid, started = path.name.split(".")
    return int(started) != 0 and started_of(int(pid)) == int(started)
