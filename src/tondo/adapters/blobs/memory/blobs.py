"""Blobs in a dictionary."""

from __future__ import annotations

import io
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tondo.adapters.blobs.checks import check_digest, missing
from tondo.core.canonical import digest_bytes
from tondo.ports.blobs import KeptBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class MemoryBlobs:
    """Keeps objects in memory; `local_path` lends a file in a temporary folder.

    >>> blobs = MemoryBlobs()
    >>> blobs.get(blobs.put(b"round"))
    b'round'
    """

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def put(self, data: bytes) -> str:
        """Keep `data`; return its digest."""
        name = digest_bytes(data)
        self._objects.setdefault(name, bytes(data))
        return name

    def write(self, fill: Callable[[BinaryIO], object]) -> str:
        """Keep what `fill` writes; return its digest."""
        file = io.BytesIO()
        fill(file)
        return self.put(file.getvalue())

    def get(self, digest: str) -> bytes:
        """Return the bytes; a digest that is not there raises TD-BLOB-001."""
        try:
            return self._objects[check_digest(digest)]
        except KeyError:
            raise missing(digest, "memory") from None

    def has(self, digest: str) -> bool:
        """Say whether the object is there."""
        return check_digest(digest) in self._objects

    def local_path(self, digest: str) -> Path:
        """Return a file that holds the bytes, for engines that read files."""
        data = self.get(digest)
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="tondo-blobs-")
            path = Path(self._folder.name) / digest
            if not path.exists():
                path.write_bytes(data)
            return path

    def digests(self) -> Iterator[str]:
        """Walk over every digest kept."""
        yield from sorted(self._objects)

    def kept(self) -> Iterator[KeptBlob]:
        """Walk over every object with its size."""
        for digest, data in sorted(self._objects.items()):
            yield KeptBlob(digest=digest, bytes=len(data), kept_at_us=None)

    def delete(self, digest: str) -> None:
        """Forget an object."""
        self._objects.pop(check_digest(digest), None)

    def close(self) -> None:
        """Remove the lent files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
