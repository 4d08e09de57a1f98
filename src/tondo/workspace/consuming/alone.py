"""One process at a time runs a consumer: a lock that ends with the process."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tondo.core.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.workspace.bootstrap import Parts


@contextmanager
def alone(parts: Parts, stream: str) -> Iterator[None]:
    """Hold the right to write a stream of answers; TD-SERVING-006 when another process has it."""
    folder = parts.state / "consumers"
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder / f"{stream.replace('/', '.')}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                "TD-SERVING-006",
                f"another process writes '{stream}' already",
                expected="one consumer of a kind at a time",
                fix="Wait until it has ended; what it did is not done again.",
                stream=stream,
            ) from None
        yield
    finally:
        os.close(fd)
