"""Files that commands write where they are told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tondo.core.errors import CallerError

if TYPE_CHECKING:
    from pathlib import Path


def write_out(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; TD-CLI-009 where it cannot be written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            fresh.write_bytes(data)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise CallerError(
            "TD-CLI-009",
            f"{path} cannot be written: {error.strerror}",
            expected="a file in a folder that is there and may be written to",
            fix="Make the folder, or give another path.",
            path=str(path),
        ) from None
