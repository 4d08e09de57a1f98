"""The online store in one Redis: a sorted set of keys, and a hash of their values."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tondo.adapters.online.redis.address import Address
from tondo.adapters.online.redis.scripts import DELETE, PUT_IF, SCAN, text_of
from tondo.core.errors import CallerError, OutsideError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MAX_KEY_BYTES = 511
"""As many as LMDB takes, so that what works here works there."""
CONNECT_S = 0.5
ANSWER_S = 5.0
"""A batch of 20,000 pairs takes a twentieth of a second; this is a server that hangs."""
PAUSE_S = 1.0
"""How long nobody waits for a server that was just found unreachable."""

_LOG = logging.getLogger("tondo.online")
_Answer = TypeVar("_Answer")
_LOST = (redis.ConnectionError, redis.TimeoutError, OSError)


class RedisStore:
    """A store that many hosts share; every call is one command or one script, so seen whole.

    A connection that was lost is opened again and the call repeated once. After a failure calls
    are refused at once for a second, so that a request never waits long for a dead server.
    `durable` is the server's own: what its persistence loses, event log and snapshots hold.

    :param address: see `Address`.
    :param unreachable: `error` raises OutsideError TD-ONLINE-101; with `null` reads find nothing
        while the server cannot be reached, and writes still raise.
    """

    def __init__(
        self,
        address: str,
        *,
        environ: Mapping[str, str] | None = None,
        unreachable: Literal["error", "null"] = "error",
    ) -> None:
        self._address = Address(address, os.environ if environ is None else environ)
        self._client: Any = redis.Redis.from_url(
            self._address.url,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 1),
            protocol=2,
        )
        # One slot of a cluster: the braces name what is hashed.
        space = f"{{{self._address.namespace}}}"
        self._names = (f"{space}:keys".encode(), f"{space}:values".encode())
        self._scan = self._client.register_script(text_of(SCAN))
        self._put_if = self._client.register_script(PUT_IF)
        self._delete = self._client.register_script(text_of(DELETE))
        self._finds_nothing = unreachable == "null"
        self._lock = threading.Lock()
        self._refused_until = 0.0

    def __repr__(self) -> str:
        """Say where, without any secret."""
        return f"<online store {self._address.shown}>"

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key in one consistent view, None where absent."""
        if not keys:
            return []
        absent: list[bytes | None] = [None] * len(keys)
        return self._read(lambda: list(self._client.hmget(self._names[1], keys)), absent)

    def scan(self, start: bytes, stop: bytes) -> list[tuple[bytes, bytes]]:
        """Return all pairs with start <= key < stop in key order."""
        return self.scan_many(((start, stop, 0),))[0]

    def scan_many(
        self, ranges: Sequence[tuple[bytes, bytes, int]]
    ) -> list[list[tuple[bytes, bytes]]]:
        """Return per (start, stop, most) the first `most` pairs (0: all), in one view."""
        if not ranges:
            return []
        asked = [part for each in ranges for part in each]
        nothing: list[list[bytes]] = [[] for _ in ranges]
        found = self._read(lambda: self._scan(keys=self._names, args=asked), nothing)
        return [list(zip(flat[::2], flat[1::2], strict=True)) for flat in found]

    def put_many(
        self,
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,  # noqa: ARG002 - the server's persistence decides
        delete: Iterable[bytes] = (),
    ) -> None:
        """Write all pairs at once or none; visible to every process when this returns."""
        batch, gone = _checked(pairs), list(delete)
        if not batch and not gone:
            return

        def write() -> None:
            with self._client.pipeline(transaction=True) as transaction:
                if batch:
                    items = [part for pair in batch for part in pair]
                    transaction.hset(self._names[1], items=items)
                    transaction.zadd(self._names[0], dict.fromkeys((key for key, _ in batch), 0))
                if gone:
                    transaction.hdel(self._names[1], *gone)
                    transaction.zrem(self._names[0], *gone)
                transaction.execute()

        self._reach(write)

    def put_if(
        self,
        expected: Sequence[tuple[bytes, bytes | None]],
        pairs: Iterable[tuple[bytes, bytes]],
        *,
        durable: bool = True,  # noqa: ARG002 - the server's persistence decides
    ) -> bool:
        """Write all pairs at once if every expected key has its value (None: is absent)."""
        asked: list[bytes | int] = [len(expected)]
        for key, value in expected:
            asked += [key, b"0", b""] if value is None else [key, b"1", value]
        asked += [part for pair in _checked(pairs) for part in pair]
        return bool(self._reach(lambda: self._put_if(keys=self._names, args=asked)))

    def delete_range(self, start: bytes, stop: bytes) -> int:
        """Delete start <= key < stop; return how many."""
        if not stop:
            return 0
        return int(self._reach(lambda: self._delete(keys=self._names, args=[start, stop])))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _read(self, call: Callable[[], _Answer], nothing: _Answer) -> _Answer:
        if not self._finds_nothing:
            return self._reach(call)
        try:
            return self._reach(call)
        except OutsideError:
            return nothing

    def _reach(self, call: Callable[[], _Answer]) -> _Answer:
        if time.monotonic() < self._refused_until:
            raise self._unreachable("it was not reached a moment ago")
        try:
            answer = call()
        except (*_LOST, redis.AuthenticationError, redis.exceptions.BusyLoadingError) as failure:
            self._pause(failure)
            raise self._unreachable(failure) from None
        except redis.ResponseError as refusal:
            raise self._unwritten(refusal) from None
        self._refused_until = 0.0
        return answer

    def _pause(self, failure: Exception) -> None:
        with self._lock:
            if self._refused_until == 0.0:
                _LOG.warning("%r is not reached: %s", self, self._address.hide(failure))
            self._refused_until = time.monotonic() + PAUSE_S

    def _unreachable(self, why: Any) -> OutsideError:
        return OutsideError(
            "TD-ONLINE-101",
            f"the online store {self._address.shown} cannot be reached: {self._address.hide(why)}",
            expected="a Redis that answers there and lets us in",
            fix="Start it, or correct the setting 'online_store'; calls go through again by "
            "themselves once it answers.",
            store=self._address.shown,
        )

    def _unwritten(self, refusal: Exception) -> PlatformError:
        return PlatformError(
            "TD-ONLINE-005",
            f"the online store {self._address.shown} could not be written: "
            f"{self._address.hide(refusal)}",
            fix="Free space: raise the server's maxmemory, or use a larger one; nothing of this "
            "batch was written.",
            store=self._address.shown,
        )


def _checked(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    batch = list(pairs)
    for key, _ in batch:
        if not 0 < len(key) <= MAX_KEY_BYTES:
            raise CallerError(
                "TD-ONLINE-004",
                f"an online key of {len(key)} bytes",
                expected=f"1 to {MAX_KEY_BYTES} bytes, view name and entity key together",
                fix="Use a shorter entity key, for example an id or a digest of the long one.",
            )
    return batch
