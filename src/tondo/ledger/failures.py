"""What SQLite says when something is wrong, as coded errors that name the file."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from tondo.core.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def coded(place: str) -> Iterator[None]:
    """Let no error of SQLAlchemy or the driver out; `place` is the file they are about."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise platform_error(error, place) from error


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether another process holds the write lock."""
    return _word(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def platform_error(error: DBAPIError | sqlite3.Error, place: str) -> PlatformError:
    """Return the coded error for what the driver reported."""
    reported = (error.orig or error) if isinstance(error, DBAPIError) else error
    word, said = _word(reported), str(reported)
    for beginnings, build in _BUILDERS:
        if word.startswith(beginnings):
            return build(place, said)
    return PlatformError(
        "TD-LEDGER-012",
        f"the ledger {place} refused a statement: {said}",
        fix="Run `tondo doctor`; if it finds nothing, please report this message.",
        path=place,
        reported=word,
    )


def _word(error: BaseException) -> str:
    return str(getattr(error, "sqlite_errorname", "") or "")


def unwritable(place: str, said: str) -> PlatformError:
    """Return TD-LEDGER-004: the file cannot be opened or written."""
    return PlatformError(
        "TD-LEDGER-004",
        f"cannot open the ledger {place} for writing: {said}",
        expected="a folder that exists and may be written",
        fix="Create the folder, correct its rights, or open another place.",
        path=place,
    )


def busy(place: str, said: str) -> PlatformError:
    """Return TD-LEDGER-005: another process held the write lock too long."""
    return PlatformError(
        "TD-LEDGER-005",
        f"the ledger {place} stayed locked by another process: {said}",
        expected="the lock within half a minute",
        fix="End the process that holds it (`fuser` names it), then do it again.",
        path=place,
    )


def full(place: str, said: str) -> PlatformError:
    """Return TD-LEDGER-006: the disk is full or failing, and nothing was written."""
    return PlatformError(
        "TD-LEDGER-006",
        f"the disk did not take what was written to the ledger {place}: {said}",
        expected="free space on a disk that works; nothing of this transaction was kept",
        fix="Free some space, then do it again.",
        path=place,
    )


def damaged(place: str, said: str) -> PlatformError:
    """Return TD-LEDGER-007: the file is not a ledger, or no longer whole."""
    return PlatformError(
        "TD-LEDGER-007",
        f"the ledger {place} is damaged or is another kind of file: {said}",
        expected="a SQLite database written by tondo",
        fix="Move the file away and restore it from a backup.",
        path=place,
    )


_BUILDERS = (
    (("SQLITE_BUSY", "SQLITE_LOCKED"), busy),
    (("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHM"), full),
    (("SQLITE_CORRUPT", "SQLITE_NOTADB"), damaged),
    (("SQLITE_IOERR",), damaged),
    (("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"), unwritable),
)
