"""The objects port: files in object stores, listed and copied, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class ObjectEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One object as a listing shows it; another size, tag or time is another object."""

    url: str
    bytes: int
    etag: str | None
    modified_at_us: int


class Objects(Protocol):
    """Reads object stores."""

    def find(self, url: str) -> list[ObjectEntry]:
        """Return the objects that a URL, a glob (`*.csv`) or a prefix (`days/`) names, by URL.

        TD-DATA-028 when the store cannot be read.
        """
        ...

    def fetch(self, entry: ObjectEntry, path: Path) -> None:
        """Copy an object to a local file (TD-DATA-027 when it is no longer what was listed)."""
        ...
