"""Counters that outlive the process that counts: whole numbers in a mapped file, found by name.

One process writes, any other reads at any time. What was counted is in the file at once and stays
there when the process is killed, for what it costs to count in memory.

The file is a row of chunks, a chunk a row of blocks. A block is: length of the name in bytes,
number of counters, the name as JSON (filled up to 8 bytes), the counters; all whole numbers have
64 bits. A length of 0 ends a chunk.
"""

from __future__ import annotations

import logging
import mmap
import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_log = logging.getLogger("tondo.scorer")

_WORD = 8
_CHUNK_BYTES = 1 << 16
"""Room for about 300 variants under one protocol each; a file grows by so much."""

Key = tuple[str, ...]
"""Name of a block."""

_decode_key = msgspec.json.Decoder(Key).decode


class Cells:
    """Blocks of counters of this process, in a file or, without one, in memory only.

    >>> block = Cells().block(("shed", "late", "rows"), 1)
    >>> block[0] += 3
    >>> block.tolist()
    [3]
    """

    def __init__(self, path: Path | None = None) -> None:
        self._blocks: dict[Key, memoryview] = {}
        self._descriptor = -1
        self._size = 0
        self._free = memoryview(b"").cast("q")
        if path is not None:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o600)

    def block(self, key: Key, number: int) -> memoryview:
        """Return the counters of a name, `number` zeros at first; the same ones each time."""
        found = self._blocks.get(key)
        if found is None:
            found = self._blocks[key] = self._new(msgspec.json.encode(key), number)
        return found

    def read(self) -> Iterator[tuple[Key, list[int]]]:
        """Yield every block."""
        for key, block in list(self._blocks.items()):
            yield key, block.tolist()

    def _new(self, name: bytes, number: int) -> memoryview:
        if self._descriptor < 0:
            return memoryview(bytearray(number * _WORD)).cast("q")
        words = 2 + _words(len(name))
        if len(self._free) < words + number:
            try:
                self._free = self._chunk((words + number) * _WORD)
            except OSError as error:
                # Counting must not end a request: these are counted where nobody else sees them.
                _log.warning("%s is counted for this process only: %s", name.decode(), error)
                return memoryview(bytearray(number * _WORD)).cast("q")
        block, self._free = self._free[: words + number], self._free[words + number :]
        block[1] = number
        block.cast("B")[2 * _WORD : 2 * _WORD + len(name)] = name
        block[0] = len(name)  # last: from now on it is there for others
        return block[words:]

    def _chunk(self, least: int) -> memoryview:
        """Return a further part of the file, which is really there: a full disk is told here."""
        if least > _CHUNK_BYTES:
            raise OSError(f"a name of {least} bytes")
        os.posix_fallocate(self._descriptor, self._size, _CHUNK_BYTES)
        mapped = mmap.mmap(self._descriptor, _CHUNK_BYTES, offset=self._size)
        self._size += _CHUNK_BYTES
        return memoryview(mapped).cast("q")


def cells_in(path: Path) -> Iterator[tuple[Key, list[int]]]:
    """Yield every block of a file that another process writes; FileNotFoundError without one."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size // _CHUNK_BYTES * _CHUNK_BYTES
        if not size:
            return
        mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    words = memoryview(mapped).cast("q")
    step = _CHUNK_BYTES // _WORD
    for start in range(0, len(words), step):
        yield from _blocks_of(words[start : start + step])


def _blocks_of(chunk: memoryview) -> Iterator[tuple[Key, list[int]]]:
    at = 0
    # Numbers lie on their own boundaries and are read as they were written: never half of one.
    while at + 2 <= len(chunk) and (length := chunk[at]):
        number, values = chunk[at + 1], at + 2 + _words(length)
        name = bytes(chunk[at + 2 : values].cast("B")[:length])
        at = values + number
        yield _decode_key(name), chunk[values:at].tolist()


def _words(length: int) -> int:
    return -(-length // _WORD)
