"""The HTTP status of each error: the only place where codes become statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tondo.core.errors import (
    CallerError,
    ConflictError,
    DataError,
    DefinitionError,
    NotFoundError,
    OutsideError,
    PlatformError,
)

if TYPE_CHECKING:
    from tondo.core.errors import TondoError

STATUS_OF_CODE: Final[dict[str, int]] = {
    "TD-FEATURE-104": 413,
    "TD-LOG-001": 503,
    "TD-ONLINE-101": 503,
    "TD-SCORE-010": 413,
    "TD-SCORE-021": 415,
    "TD-SCORER-002": 503,
    "TD-SCORER-010": 503,
    "TD-SCORER-011": 503,
    "TD-SCORER-012": 503,
    "TD-SCORER-013": 503,
    "TD-SCORER-014": 503,
    "TD-SCORER-015": 503,
    "TD-SCORER-016": 503,
    "TD-WEB-001": 421,
    "TD-WEB-002": 403,
    "TD-WEB-003": 401,
    "TD-WEB-004": 404,
    "TD-WEB-005": 405,
    "TD-WEB-006": 431,
    "TD-WEB-008": 408,
}
"""Codes whose status is not that of their class."""

STATUS_OF_CLASS: Final[tuple[tuple[type[TondoError], int], ...]] = (
    (NotFoundError, 404),
    (ConflictError, 409),
    (CallerError, 400),
    (DefinitionError, 422),
    (DataError, 422),
    (OutsideError, 502),
    (PlatformError, 500),
)


def status_of(error: TondoError) -> int:
    """Return the HTTP status of an error.

    >>> status_of(NotFoundError("TD-PLAN-004", "no deployment 'x'"))
    404
    """
    found = STATUS_OF_CODE.get(error.code)
    if found is not None:
        return found
    return next((status for kind, status in STATUS_OF_CLASS if isinstance(error, kind)), 500)


def error_body(error: TondoError) -> dict[str, Any]:
    """Return the one JSON shape of an error over HTTP."""
    return {"error": error.to_json()}
