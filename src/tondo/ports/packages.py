"""The port of what fetches packages from elsewhere."""

from __future__ import annotations

from typing import Protocol


class PackageSource(Protocol):
    """Fetches files of some kinds of address."""

    def fetch(self, url: str, *, most_bytes: int) -> bytes:
        """Return the file of an address.

        Errors: TD-PACKAGE-011 (nobody gives it), TD-PACKAGE-012 (it is larger than `most_bytes`).
        """
        ...
