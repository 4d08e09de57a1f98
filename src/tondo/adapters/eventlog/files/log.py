"""Streams as folders of segment files, named in the order they were begun."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tondo.adapters.eventlog.files.appender import SEGMENT_BYTES, FilesAppender
from tondo.adapters.eventlog.files.framing import MAGIC, frames, whole_length
from tondo.core.errors import CallerError, PlatformError
from tondo.ports.eventlog import Position, Segment, no_segment, still_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.ports.eventlog import Durability

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SUFFIX = ".log"
_LOCK = ".begin"


class FilesEventLog:
    """An event log under one folder.

    A segment is open while its writer lives (it holds a lock that ends with the process), so
    readers know a killed writer's segment for closed without anybody tidying up.
    """

    def __init__(self, root: Path | str, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.root = Path(root)
        self._segment_bytes = segment_bytes

    def __repr__(self) -> str:
        """Say where."""
        return f"FilesEventLog({str(self.root)!r})"

    def appender(self, stream: str, writer: str, *, durability: Durability) -> FilesAppender:
        """Open an appender; torn tails that this writer left behind are cut off."""
        folder = self._folder(stream)
        if not _PART.fullmatch(writer):
            raise _bad_name("writer", writer)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in _segment_paths(folder):
                if _writer_of(path) == writer and _is_closed(path):
                    _cut_torn_tail(path)
        except OSError as error:
            raise PlatformError(
                "TD-LOG-001",
                f"the event log {folder} cannot be opened to write: {error.strerror}",
                expected="a folder that can be written to, with room on its disk",
                fix="Free space, or correct the folder's permissions.",
                stream=stream,
            ) from None

        def begin() -> tuple[int, Path]:
            return _begin_segment(folder, writer)

        return FilesAppender(begin, durability=durability, segment_bytes=self._segment_bytes)

    def segments(self, stream: str) -> list[Segment]:
        """List the segments in the order they were begun; an unknown stream has none."""
        found = []
        for path in _segment_paths(self._folder(stream)):
            with suppress(FileNotFoundError):  # removed since it was listed
                closed = _is_closed(path)
                found.append(Segment(name=path.name, closed=closed, bytes=path.stat().st_size))
        return found

    def read(self, stream: str, after: Position | None = None) -> Iterator[tuple[Position, bytes]]:
        """Yield (position after the frame, payload); TD-LOG-002 on a flipped bit.

        A position remembers older segments that were still open when the reader went past them,
        so that frames which their writers add later are read next time.
        """
        newest, offsets = _parse_position(after)
        finished: set[str] = set()
        for path in _segment_paths(self._folder(stream)):
            name = path.name
            if name < newest and name not in offsets:
                continue
            try:
                closed = _is_closed(path)  # asked before reading: what it says then stays true
                found = _read_frames(path, offsets.get(name, 0))
            except FileNotFoundError:
                continue  # removed since it was listed
            newest = max(newest, name)
            offsets.setdefault(name, 0)
            for end, payload in found:
                offsets[name] = end
                yield _position(newest, offsets, finished), payload
            if closed:
                finished.add(name)

    def end(self, stream: str) -> Position | None:
        """Return the position after everything that is there now; None for an empty stream."""
        offsets: dict[str, int] = {}
        finished: set[str] = set()
        for path in _segment_paths(self._folder(stream)):
            if _is_closed(path):
                offsets[path.name] = path.stat().st_size
                finished.add(path.name)
            else:
                # A size may end within a frame that is being written.
                offsets[path.name] = whole_length(path.read_bytes(), segment=path.name)
        return _position(max(offsets), offsets, finished) if offsets else None

    def read_segment(
        self, stream: str, segment: str, offset: int = 0
    ) -> Iterator[tuple[Position, bytes]]:
        """Yield the frames of one segment, from `offset` on."""
        path = self._path(stream, segment)
        for end, payload in _read_frames(path, offset):
            yield Position(segment, end), payload

    def has_read(self, stream: str, after: Position | None, segment: str) -> bool:
        """Tell whether a reader at `after` has read all of a closed segment."""
        newest, offsets = _parse_position(after)
        if segment in offsets:
            return offsets[segment] >= self._path(stream, segment).stat().st_size
        return segment < newest

    def remove(self, stream: str, segment: str) -> None:
        """Remove a closed segment for good; TD-LOG-006 while it is open."""
        folder = self._folder(stream)
        path = self._path(stream, segment)
        with _stream_lock(folder, fcntl.LOCK_EX):
            if not _is_closed(path):
                raise still_open(stream, segment)
            path.unlink()
            _flush_folder(folder)

    def _path(self, stream: str, segment: str) -> Path:
        path = self._folder(stream) / segment
        if not _PART.fullmatch(segment) or not path.is_file():
            names = [each.name for each in _segment_paths(self._folder(stream))]
            raise no_segment(stream, segment, names)
        return path

    def _folder(self, stream: str) -> Path:
        if not all(_PART.fullmatch(part) for part in stream.split("/")):
            raise _bad_name("stream", stream)
        return self.root / stream


def _bad_name(what: str, name: str) -> CallerError:
    return CallerError(
        "TD-LOG-005",
        f"{name!r} cannot name a {what}",
        expected="letters, digits, '_', '-', '.'; parts of a stream divided by '/'",
        name=name,
    )


def _segment_paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with _stream_lock(folder, fcntl.LOCK_SH):
        return sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX)


def _writer_of(path: Path) -> str:
    return path.name.partition("-")[2].removesuffix(_SUFFIX)


def _is_closed(path: Path) -> bool:
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def _cut_torn_tail(path: Path) -> None:
    data = path.read_bytes()
    whole = whole_length(data, segment=path.name)
    if whole < len(data):
        os.truncate(path, whole)


@contextmanager
def _stream_lock(folder: Path, kind: int) -> Iterator[int]:
    """Hold the stream's lock: a segment is listed only once its writer has locked it."""
    fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, kind)
        yield fd
    finally:
        os.close(fd)


def _begin_segment(folder: Path, writer: str) -> tuple[int, Path]:
    """Create and lock the next segment; no name ever sorts before an older one."""
    with _stream_lock(folder, fcntl.LOCK_EX) as lock:
        numbers = [int(path.name.partition("-")[0]) for path in folder.glob(f"*{_SUFFIX}")]
        number = max([int(os.pread(lock, 32, 0) or b"0"), *numbers]) + 1
        path = folder / f"{number:012d}-{writer}{_SUFFIX}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.pwrite(lock, b"%012d" % number, 0)
            _write_whole(fd, MAGIC)
            _flush_folder(folder)
        except OSError:
            path.unlink(missing_ok=True)
            os.close(fd)
            raise
    return fd, path


def _write_whole(fd: int, data: bytes) -> None:
    """Write all of `data` or raise OSError."""
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _read_frames(path: Path, offset: int) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    return frames(data, start=offset, segment=path.name)


def _parse_position(after: Position | None) -> tuple[str, dict[str, int]]:
    if after is None:
        return "", {}
    name, *older = after.segment.split(";")
    pending = {each.partition("=")[0]: int(each.partition("=")[2]) for each in older}
    pending[name] = after.offset
    return name, pending


def _position(newest: str, offsets: dict[str, int], finished: set[str]) -> Position:
    """Where to go on: the newest segment begun, then the older ones that may still grow."""
    older = sorted(set(offsets) - finished - {newest})
    text = ";".join([newest, *(f"{name}={offsets[name]}" for name in older)])
    return Position(text, offsets[newest])
