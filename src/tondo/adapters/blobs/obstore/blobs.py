"""Blobs in a folder, through obstore's local store."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import uuid
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import obstore
from blake3 import blake3
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from tondo.adapters.blobs.checks import DIGEST, check_digest, missing
from tondo.core.canonical import digest_bytes
from tondo.core.errors import PlatformError
from tondo.core.instants import to_micros
from tondo.ports.blobs import KeptBlob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_STAGING = "staging"
_LEFT_S = 3600
"""What lies in staging for longer without a lock was left by a killed process: between its last
byte and its name an object is not locked, and `put` locks none, but neither takes an hour."""
# Two characters give 256 folders: short listings up to some millions of objects.
_FAN_OUT = 2


class ObstoreBlobs:
    """Keeps each object in `root` as `ab/cdef...`, the digest cut after two characters."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        with _coded(self.root, "open"):
            self._store = LocalStore(self.root, mkdir=True)

    def put(self, data: bytes) -> str:
        """Keep `data`; return its digest once it is durable (TD-BLOB-003 when it cannot be)."""
        name = digest_bytes(data)
        if self._is_whole(name, len(data)):
            self._freshen(name)
            return name
        with self._staged() as staged:
            with _coded(self.root / staged, "write"):
                obstore.put(self._store, staged, data)
                _flush(self.root / staged)
            self._publish(staged, name)
        return name

    def write(self, fill: Callable[[BinaryIO], object]) -> str:
        """Keep what `fill` writes; return its digest (TD-BLOB-003)."""
        with self._staged() as staged:
            with _coded(self.root / staged, "write"):
                (self.root / staged).parent.mkdir(exist_ok=True)
                file = _DigestedFile(self.root / staged)
                _sweep(self.root / staged)
            with file:
                fill(cast("BinaryIO", file))
            with _coded(self.root / staged, "write"):
                _flush(self.root / staged)
            name, size = file.digest, (self.root / staged).stat().st_size
            if self._is_whole(name, size):
                self._freshen(name)
            else:
                self._publish(staged, name)
        return name

    def get(self, digest: str) -> bytes:
        """Return the bytes, checked against the digest (TD-BLOB-002 when damaged)."""
        place = _place(digest)
        with _coded(self.root / place, "read"):
            try:
                data = bytes(obstore.get(self._store, place).bytes())
            except FileNotFoundError:
                raise missing(digest, str(self.root)) from None
        if digest_bytes(data) != digest:
            raise PlatformError(
                "TD-BLOB-002",
                f"the object {digest} in {self.root / place} is damaged",
                expected="bytes that have this digest",
                fix="Put the same bytes again, or restore the file from a backup.",
                digest=digest,
                path=str(self.root / place),
            )
        return data

    def has(self, digest: str) -> bool:
        """Say whether the object is there."""
        return (self.root / _place(digest)).is_file()

    def local_path(self, digest: str) -> Path:
        """Return the file that holds the bytes; it must never be changed."""
        path = self.root / _place(digest)
        if not path.is_file():
            raise missing(digest, str(self.root))
        return path

    def digests(self) -> Iterator[str]:
        """Walk over every digest kept."""
        for page in obstore.list(self._store):
            for each in page:
                digest = str(each["path"]).replace("/", "")
                if DIGEST.fullmatch(digest):
                    yield digest

    def kept(self) -> Iterator[KeptBlob]:
        """Walk over every object with its size and when it was last put."""
        for page in obstore.list(self._store):
            for each in page:
                digest = str(each["path"]).replace("/", "")
                if DIGEST.fullmatch(digest):
                    yield KeptBlob(
                        digest=digest,
                        bytes=each["size"],
                        kept_at_us=to_micros(each["last_modified"]),
                    )

    def delete(self, digest: str) -> None:
        """Forget an object (TD-BLOB-003 when it cannot be removed)."""
        path = self.root / _place(digest)
        with _coded(path, "remove"):
            path.unlink(missing_ok=True)

    def _freshen(self, digest: str) -> None:
        # Who puts it again wants it again: a collection that runs now must see a young object.
        path = self.root / _place(digest)
        with _coded(path, "touch"):
            os.utime(path)

    def _is_whole(self, digest: str, size: int) -> bool:
        # A damaged object must not swallow a put of its true bytes: the put heals it.
        path = self.root / _place(digest)
        try:
            if path.stat().st_size != size:
                return False
            return size == 0 or str(blake3().update_mmap(path).hexdigest()) == digest
        except OSError:
            return False

    @contextlib.contextmanager
    def _staged(self) -> Iterator[str]:
        """Give a name to write under; what lies there in the end is removed."""
        staged = f"{_STAGING}/{uuid.uuid4().hex}"
        try:
            yield staged
        finally:
            with contextlib.suppress(OSError):
                (self.root / staged).unlink()

    def _publish(self, staged: str, digest: str) -> None:
        place = _place(digest)
        folder = (self.root / place).parent
        with _coded(self.root / place, "write"):
            is_new_folder = not folder.is_dir()
            obstore.rename(self._store, staged, place)
            _flush(folder)
            if is_new_folder:
                _flush(self.root)


class _DigestedFile(io.FileIO):
    """A new file that is digested as it is written; a failing write is TD-BLOB-003."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "x")
        # Ends with the process: what is not locked, nobody writes any more.
        fcntl.flock(self.fileno(), fcntl.LOCK_EX)
        self._path = path
        self._hash = blake3()

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        rest = memoryview(data)
        self._hash.update(rest)
        with _coded(self._path, "write"):
            while rest:
                rest = rest[super().write(rest) :]
        return len(data)

    @property
    def digest(self) -> str:
        """The digest of what was written."""
        return str(self._hash.hexdigest())


def _sweep(own: Path) -> None:
    """Remove what killed processes left beside a file that was begun just now."""
    now_s = own.stat().st_mtime
    for path in own.parent.iterdir():
        with contextlib.suppress(OSError):
            if now_s - path.stat().st_mtime > _LEFT_S and not _is_locked(path):
                path.unlink()


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _place(digest: str) -> str:
    name = check_digest(digest)
    return f"{name[:_FAN_OUT]}/{name[_FAN_OUT:]}"


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _coded(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise PlatformError(
            "TD-BLOB-003",
            f"cannot {verb} {path}: {said}",
            expected="a folder that can be written, on a disk that is not full",
            fix="Free some space or correct the rights of the folder, then do it again.",
            path=str(path),
        ) from error
