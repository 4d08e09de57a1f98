"""Instants as microseconds since 1970 UTC, and their text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tondo.core.errors import CallerError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime) -> int:
    """Return microseconds since 1970 UTC of an aware time; naive times are refused.

    >>> to_micros(datetime(2013, 4, 1, tzinfo=UTC))
    1364774400000000
    """
    if instant.tzinfo is None:
        raise CallerError(
            "TD-CORE-003",
            f"the time {instant.isoformat()} has no zone",
            expected="a time with a zone, for example 2013-04-01T00:00:00Z",
            fix="Add Z for UTC, or an offset.",
        )
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """Return the aware UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=micros)


def format_instant(micros: int) -> str:
    """Return RFC 3339 text in UTC.

    >>> format_instant(1364774400000000)
    '2013-04-01T00:00:00Z'
    """
    return from_micros(micros).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> int:
    """Return the microseconds of RFC 3339 text; text without a zone is refused."""
    try:
        parsed = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise CallerError(
            "TD-CORE-004",
            f"{text!r} is not a time",
            expected="RFC 3339 text such as 2013-04-01T00:00:00Z",
        ) from None
    return to_micros(parsed)
