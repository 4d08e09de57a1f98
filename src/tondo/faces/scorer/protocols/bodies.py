"""Reading request bodies: limits, and refusals that say where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tondo.core.errors import CallerError, near
from tondo.core.instants import to_micros

MAX_BODY_BYTES = 8 << 20
"""8 MiB: a thousand rows of a hundred columns with their names, several times over."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a body that is not its JSON."""


def too_large(size: int) -> CallerError:
    """Build the error for a body above the limit."""
    return CallerError(
        "TD-SCORE-010",
        f"the request body has {size} bytes or more",
        expected=f"at most {MAX_BODY_BYTES} bytes",
        fix="Send several requests.",
    )


def malformed(what: str, *, expected: str = "", fix: str = "") -> CallerError:
    """Build the error for a body of another shape."""
    return CallerError("TD-SCORE-005", what, expected=expected, fix=fix)


def nested_too_deeply() -> CallerError:
    """Build the error for a body with more levels than can be read, or told of."""
    return malformed("the body is nested too deeply", expected="a few levels")


def decode_any(body: bytes) -> Any:
    """Return the JSON value of a body; TD-SCORE-005 when it is none, or nested too deeply."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(f"the body cannot be read: {error}", expected="JSON in UTF-8") from None
    except RecursionError:
        raise nested_too_deeply() from None


def check_fields(body: Any, known: tuple[str, ...]) -> dict[str, Any]:
    """Return the body when it is an object with `known` fields only."""
    if not isinstance(body, dict):
        raise malformed("the body is not an object", expected=f"an object with {known[0]}")
    for name in body:
        if name not in known:
            raise malformed(
                f"the request has no field '{name}'",
                expected="only " + ", ".join(known),
                fix=near(name, known),
            )
    return body


def read_instant(value: int | datetime | None) -> int | None:
    """Return microseconds of an as-of time as it was decoded."""
    if isinstance(value, datetime):
        return to_micros(value)
    return value


def explain_instant(value: Any) -> int | None:
    """Return microseconds of an as-of time as it was sent; TD-SCORE-005 when it is none."""
    try:
        return read_instant(msgspec.convert(value, int | datetime | None))
    except msgspec.ValidationError:
        raise malformed(
            f"as_of is {value!r}",
            expected="RFC 3339 text such as 2013-04-01T00:00:00Z, or microseconds since 1970",
        ) from None


def check_type(value: Any, type_: Any, name: str, expected: str) -> Any:
    """Return `value` when it is of `type_`, else TD-SCORE-005 naming it."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        raise malformed(f"{name} is {value!r}"[:200], expected=expected) from None


def check_purpose(purpose: str) -> str:
    """Return a purpose that may be logged: 1 to 64 characters; else TD-SCORE-009."""
    if 0 < len(purpose) <= 64 and purpose.isprintable():
        return purpose
    raise CallerError(
        "TD-SCORE-009",
        f"purpose is {purpose[:80]!r}",
        expected="1 to 64 printable characters, for example live",
    )
