"""Brings a package's bytes from wherever it lies, and checks that it is the one that was meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tondo.core.errors import CallerError, DataError, NotFoundError, near
from tondo.scoring.archive import MAX_PACKAGE_BYTES
from tondo.scoring.package import package_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tondo.ports.packages import PackageSource


def package_bytes(
    place: bytes | Path | str, sources: Mapping[str, Callable[[], PackageSource]]
) -> bytes:
    """Return a package's bytes: as given, of a file, or of an address.

    `sources` are what opens the source of an address, by its scheme.
    TD-PACKAGE-008 for a file that cannot be read, -010 for an address of another kind.
    """
    if isinstance(place, bytes):
        return place
    if isinstance(place, Path) or "://" not in place:
        return _of_file(Path(place))
    scheme = place.partition("://")[0].lower()
    if scheme == "file":
        return _of_file(Path(unquote(urlsplit(place).path)))
    if scheme in sources:
        return sources[scheme]().fetch(place, most_bytes=MAX_PACKAGE_BYTES)
    known = ["file", *sources]
    raise CallerError(
        "TD-PACKAGE-010",
        f"packages are not fetched from '{scheme}://'",
        expected="a path, or an address of " + ", ".join(f"{each}://" for each in known),
        fix=near(scheme, known),
    )


def _of_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFoundError(
            "TD-PACKAGE-008",
            f"the package {path} cannot be read: {error.strerror}",
            expected="a file written when a model version was sealed or exported",
            path=str(path),
        ) from None


def check_digest(data: bytes, wanted: str) -> None:
    """Return when the bytes have the digest under which a package was registered.

    TD-PACKAGE-009 when they have another.
    """
    found = package_digest(data)
    if found != wanted.lower():
        raise DataError(
            "TD-PACKAGE-009",
            f"this is another package: its digest is {found}",
            expected=wanted,
            fix="Ask for the version again; `tondo model version NAME VERSION` shows its digest.",
            digest=found,
        )
