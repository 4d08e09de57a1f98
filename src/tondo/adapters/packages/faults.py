"""What can go wrong with a package's address, for every way of fetching."""

from __future__ import annotations

from urllib.parse import urlsplit

from tondo.core.errors import DataError, OutsideError


def shown_url(url: str) -> str:
    """Return an address without user, password and query, which may hold secrets.

    >>> shown_url("https://ana:pw@models.example/late.tondo?signature=1")
    'https://models.example/late.tondo'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def not_given(url: str, why: str) -> OutsideError:
    """Build the error for an address from which no package comes."""
    return OutsideError(
        "TD-PACKAGE-011",
        f"the package at {shown_url(url)} cannot be fetched: {why}",
        expected="a sealed package at that address",
        fix="Check the address, and the token or the credentials of the environment.",
        url=shown_url(url),
    )


def too_large(url: str, most_bytes: int) -> DataError:
    """Build the error for a file that is larger than any package may be."""
    return DataError(
        "TD-PACKAGE-012",
        f"what lies at {shown_url(url)} is larger than a package may be",
        expected=f"at most {most_bytes} bytes",
        fix="Check the address: packages of models are far smaller.",
        url=shown_url(url),
    )
