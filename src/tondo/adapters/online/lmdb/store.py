"""The online store in one LMDB environment."""

from __future__ import annotations

import threading
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, TypeVar

import lmdb

from tondo.adapters.online.lmdb.unflushed import UnflushedMark
from tondo.core.errors import CallerError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

MAX_KEY_BYTES = 511
MAP_BYTES = 4 << 30
"""Address space, not disk: the file is sparse, and the map doubles when it is full."""
MAX_READERS = 1022
"""Reader slots of 64 bytes; more than the processes and threads one machine serves with."""

_FEW = 4
"""Pairs that are stepped to one by one sooner than by an iterator."""

_Answer = TypeVar("_Answer")


class LmdbStore:
    """A folder that many processes read while one at a time writes.

    Readers never wait; a batch is seen whole or not at all; `kill -9` of a reader or a writer
    leaves the last whole batch. By default every batch is flushed to the device before
    `put_many` returns. With `relaxed=True` a batch put with `durable=False` is flushed by the
    system (17 times quicker); it survives the death of every process but not a power loss, after
    which the store says so (TD-ONLINE-007) and is filled again from event log and snapshots.

    A process opens one folder once and shares the store; LMDB's locks demand it (TD-ONLINE-008).
    """

    def __init__(
        self,
        path: Path,
        *,
        readonly: bool = False,
        map_size: int = MAP_BYTES,
        relaxed: bool = False,
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._mark = UnflushedMark(path)
        self._mark.check()
        self._relaxed = relaxed and not readonly and self._mark.available
        if not readonly:
            path.mkdir(parents=True, exist_ok=True)
        try:
            self._env = lmdb.open(
                str(path),
                map_size=map_size,
                readonly=readonly,
                create=not readonly,
                max_readers=MAX_READERS,
                sync=not self._relaxed,
                # A neighbour's pages are seldom wanted next: reads are by entity.
                readahead=False,
            )
        except lmdb.Error as refusal:
            raise _unopened(path, refusal) from refusal
        if not readonly:
            self._env.reader_check()

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key in one consistent view, None where absent."""

        def read(transaction: Any) -> list[bytes | None]:
            return [transaction.get(key) for key in keys]

        return self._read(read)

    def scan(self, start: bytes, stop: bytes) -> list[tuple[bytes, bytes]]:
        """Return all pairs with start <= key < stop in key order."""
        return self.scan_many(((start, stop, 0),))[0]

    def scan_many(
        self, ranges: Sequence[tuple[bytes, bytes, int]]
    ) -> list[list[tuple[bytes, bytes]]]:
        """Return per (start, stop, most) the first `most` pairs (0: all), in one view."""

        def read(transaction: Any) -> list[list[tuple[bytes, bytes]]]:
            cursor, get = transaction.cursor(), transaction.get
            return [
                _pair(get, start)
                if most == 1 and start and stop == start + b"\x00"
                else _pairs(cursor, start, stop, most)
                for start, stop, most in ranges
            ]

        return self._read(read)

    def put_many(
        self,
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,
        delete: Iterable[bytes] = (),
    ) -> None:
        """Write all pairs at once or none; visible to every process when this returns."""
        batch, gone = _checked(pairs), list(delete)

        def write(transaction: Any) -> None:
            transaction.cursor().putmulti(batch)
            for key in gone:
                transaction.delete(key)

        self._write(write, durable=durable)

    def put_if(
        self,
        expected: Sequence[tuple[bytes, bytes | None]],
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,
    ) -> bool:
        """Write all pairs at once if every expected key has its value (None: is absent)."""
        batch = _checked(pairs)

        def write(transaction: Any) -> bool:
            if any(transaction.get(key) != value for key, value in expected):
                return False
            transaction.cursor().putmulti(batch)
            return True

        return self._write(write, durable=durable)

    def delete_range(self, start: bytes, stop: bytes) -> int:
        """Delete start <= key < stop; return how many."""

        def write(transaction: Any) -> int:
            cursor = transaction.cursor()
            deleted = 0
            found = cursor.set_range(start) if start else cursor.first()
            # After a delete the cursor stands on the next pair, or on none: an empty key.
            while found and b"" < cursor.key() < stop:
                cursor.delete()
                deleted += 1
            return deleted

        return self._write(write, durable=True)

    def close(self) -> None:
        """Flush what is not flushed, release the map and the reader slots."""
        with self._lock:
            if self._relaxed:
                # The writer lock keeps another writer from marking between flush and removal.
                with self._env.begin(write=True):
                    self._env.sync(True)
                    self._mark.clear()
            self._env.close()

    def _read(self, read: Callable[[Any], _Answer]) -> _Answer:
        with self._lock:
            transaction = self._begin()
            try:
                return read(transaction)
            except lmdb.BadValsizeError:
                raise _key_length(None) from None
            finally:
                transaction.abort()

    def _begin(self) -> Any:
        try:
            return self._env.begin()
        except lmdb.MapResizedError:
            self._env.set_mapsize(0)
        except lmdb.ReadersFullError:
            self._env.reader_check()
        return self._env.begin()

    def _write(self, write: Callable[[Any], _Answer], *, durable: bool) -> _Answer:
        with self._lock:
            while True:
                try:
                    with self._env.begin(write=True) as transaction:
                        if self._relaxed:
                            self._mark.set()
                        answer = write(transaction)
                    break
                except lmdb.MapFullError:
                    self._env.set_mapsize(self._env.info()["map_size"] * 2)
                except lmdb.MapResizedError:
                    self._env.set_mapsize(0)
                except lmdb.Error as failure:
                    raise _unwritten(self._path, failure) from failure
            if self._relaxed and durable:
                self._env.sync(True)
            return answer


def _pair(get: Callable[[bytes], bytes | None], key: bytes) -> list[tuple[bytes, bytes]]:
    value = get(key)
    return [] if value is None else [(key, value)]


def _pairs(cursor: Any, start: bytes, stop: bytes, most: int) -> list[tuple[bytes, bytes]]:
    if not (cursor.set_range(start) if start else cursor.first()):
        return []
    if 0 < most <= _FEW:
        return _few_pairs(cursor, stop, most)
    # A pair of two is below a pair of one while its key is: no Python runs for each pair.
    pairs = takewhile((stop,).__gt__, cursor)
    return list(islice(pairs, most) if most else pairs)


def _few_pairs(cursor: Any, stop: bytes, most: int) -> list[tuple[bytes, bytes]]:
    """Return the first pairs from the cursor's on; for two, half the time of an iterator."""
    pairs: list[tuple[bytes, bytes]] = []
    pair = cursor.item()
    while pair[0] < stop:
        pairs.append(pair)
        if len(pairs) == most or not cursor.next():
            break
        pair = cursor.item()
    return pairs


def _checked(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    batch = list(pairs)
    for key, _ in batch:
        if not 0 < len(key) <= MAX_KEY_BYTES:
            raise _key_length(len(key))
    return batch


def _key_length(length: int | None) -> CallerError:
    return CallerError(
        "TD-ONLINE-004",
        "an online key of " + ("the wrong length" if length is None else f"{length} bytes"),
        expected=f"1 to {MAX_KEY_BYTES} bytes, view name and entity key together",
        fix="Use a shorter entity key, for example an id or a digest of the long one.",
    )


def _unwritten(path: Path, failure: Exception) -> PlatformError:
    return PlatformError(
        "TD-ONLINE-005",
        f"the online store {path} could not be written: {failure}",
        fix="Free space on its disk and try again; nothing of this batch was written.",
        path=str(path),
    )


def _unopened(path: Path, refusal: Exception) -> PlatformError:
    return PlatformError(
        "TD-ONLINE-008",
        f"the online store {path} could not be opened: {refusal}",
        expected="a folder of an online store, opened once in each process",
        fix="Check the path and its permissions, and share one store within a process.",
        path=str(path),
    )
