"""The blob port: immutable bytes named by their digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class KeptBlob(msgspec.Struct, frozen=True, kw_only=True):
    """One object as a store lists it."""

    digest: str
    bytes: int
    kept_at_us: int | None
    """When it was last put, by the machine's clock; None where the store does not know."""


class Blobs(Protocol):
    """Keeps bytes under their BLAKE3 digest. Putting the same bytes twice is one object."""

    def put(self, data: bytes) -> str:
        """Keep `data`; return its digest once it is durable."""
        ...

    def write(self, fill: Callable[[BinaryIO], object]) -> str:
        """Keep what `fill` writes into the file it is given; return its digest once it is durable.

        For objects larger than memory. When `fill` raises, nothing is kept.
        """
        ...

    def get(self, digest: str) -> bytes:
        """Return the bytes, checked against the digest (TD-BLOB-002 when damaged).

        A digest that is not there raises NotFoundError TD-BLOB-001.
        """
        ...

    def has(self, digest: str) -> bool:
        """Say whether the object is there."""
        ...

    def local_path(self, digest: str) -> Path:
        """Return a local file holding the bytes, for engines that read files."""
        ...

    def digests(self) -> Iterator[str]:
        """Walk over every digest kept."""
        ...

    def kept(self) -> Iterator[KeptBlob]:
        """Walk over every object with its size and when it was last put."""
        ...

    def delete(self, digest: str) -> None:
        """Forget an object; one that is not there is no error (TD-BLOB-003 when it cannot be)."""
        ...
