"""What every blob store refuses in the same words."""

from __future__ import annotations

import re

from tondo.core.canonical import DIGEST_BYTES
from tondo.core.errors import CallerError, NotFoundError

DIGEST = re.compile(rf"[0-9a-f]{{{2 * DIGEST_BYTES}}}")


def check_digest(digest: str) -> str:
    """Return `digest` when it is one, so that no text ever becomes a path (TD-BLOB-004).

    >>> check_digest("../ledger.db")
    Traceback (most recent call last):
    tondo.core.errors.CallerError: TD-BLOB-004: '../ledger.db' is not a digest; \
expected 64 hexadecimal characters in lower case.
    """
    if isinstance(digest, str) and DIGEST.fullmatch(digest):
        return digest
    raise CallerError(
        "TD-BLOB-004",
        f"{digest!r} is not a digest",
        expected=f"{2 * DIGEST_BYTES} hexadecimal characters in lower case",
        digest=str(digest),
    )


def missing(digest: str, place: str) -> NotFoundError:
    """Return TD-BLOB-001: no such object in `place`."""
    return NotFoundError(
        "TD-BLOB-001",
        f"there is no object {digest} in {place}",
        expected="an object that was put there",
        fix="Restore it from a backup, or run the step again that made it.",
        digest=digest,
        place=place,
    )
