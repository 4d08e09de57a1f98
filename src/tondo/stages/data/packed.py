"""Bytes of packed files (.gz, .zip), unpacked in memory and never past a limit."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from tondo.core.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

EXPANDED_MB = 4096
"""Half of a common machine's memory; a source's `expanded_mb` says otherwise."""
MOST_TIMES = 200
"""Tables of text pack to a tenth, of one repeated word to a fiftieth; gzip's utmost is 1/1032."""
# Small files may be as regular as they like: they cannot hurt.
_HARMLESS_BYTES = 256 << 20
_BLOCK_BYTES = 1 << 20


def unpacked(path: Path, where: str, *, limit_mb: int | None = None) -> bytes:
    """Return the bytes of a .gz or of the only file in a .zip.

    Without a declared `limit_mb` more than 200 times the packed size is refused too, from 256 MB
    on. Errors: TD-DATA-003 (damaged, encrypted, not one file), TD-DATA-042 (a limit is passed).
    """
    try:
        packed = path.stat().st_size
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive, where)) as it:
                return _within(it, packed, where, limit_mb=limit_mb)
        with gzip.open(path) as it:
            return _within(it, packed, where, limit_mb=limit_mb)
    except RuntimeError as error:
        # zipfile's word for a password; NotImplementedError, for a method, is one too.
        raise unreadable(where, str(error), expected="an archive that any program opens") from None
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise unreadable(where, str(error), expected="a whole, readable file") from None


def _within(
    file: IO[bytes] | gzip.GzipFile, packed: int, where: str, *, limit_mb: int | None
) -> bytes:
    limit = (EXPANDED_MB if limit_mb is None else limit_mb) << 20
    most = max(packed * MOST_TIMES, _HARMLESS_BYTES) if limit_mb is None else limit
    blocks: list[bytes] = []
    size = 0
    while block := file.read(_BLOCK_BYTES):
        size += len(block)
        blocks.append(block)
        if size > limit:
            raise _too_large(where, f"more than {limit >> 20:,} MB (`expanded_mb`)", packed)
        if size > most:
            raise _too_large(where, f"more than {MOST_TIMES} times its size", packed)
    return b"".join(blocks)


def _too_large(where: str, limit: str, packed: int) -> DataError:
    return DataError(
        "TD-DATA-042",
        f"{where}: its {packed:,} bytes unpack to {limit}",
        expected="a packed file that memory can hold",
        fix="If it is meant, say how much: `expanded_mb:` in the source; or unpack it yourself.",
    )


def _only_member(archive: zipfile.ZipFile, where: str) -> str:
    # Archives made on a Mac carry resource forks beside the files. A member's name is never used
    # as a path, so one that leads out of a folder leads nowhere.
    files = [
        each.filename
        for each in archive.infolist()
        if not each.is_dir() and not each.filename.startswith("__MACOSX/")
    ]
    if len(files) == 1:
        return files[0]
    shown = ", ".join(files[:5])
    raise unreadable(
        where,
        f"the archive holds {len(files)} files{': ' if files else ''}{shown}",
        expected="exactly one file in the archive",
    )


def unreadable(where: str, what: str, *, expected: str) -> DataError:
    """Return the error of a file that cannot be read (TD-DATA-003)."""
    return DataError(
        "TD-DATA-003",
        f"{where} cannot be read: {what}",
        expected=expected,
        fix="Correct or fetch the file again; nothing of it was kept.",
    )
