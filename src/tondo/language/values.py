"""Values of a row as they come from outside, read into the language's own values.

Own values: float, int (id, microseconds of a timestamp, days of a date), bool, str, None, and
lists of these.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from tondo.core.errors import DataError
from tondo.core.instants import to_micros

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_US = 86_400_000_000
EPOCH_DAY = date(1970, 1, 1).toordinal()

_INSTANT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?(Z|\+00:00)?"
)


_LENGTHS_US = {
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": DAY_US,
    "week": 7 * DAY_US,
}
_LENGTH = re.compile(rf"\s*([0-9]+(?:\.[0-9]+)?) *({'|'.join(_LENGTHS_US)})s?(?![A-Za-z])")


def micros_of_text(text: str) -> int | None:
    """Return microseconds of `2013-04-01[ 06:30[:15[.25]]]` in UTC, None when it is no instant.

    >>> micros_of_text("1970-01-01 00:00:01.5")
    1500000
    """
    found = _INSTANT.fullmatch(text)
    if found is None or not text.isascii():
        return None
    fraction = (found[7] or "").ljust(6, "0")
    numbers = [int(each or 0) for each in found.groups()[:6]]
    try:
        return to_micros(datetime(*numbers, int(fraction), tzinfo=UTC))  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def days_of_text(text: str) -> int | None:
    """Return days since 1970 of `2013-04-01`, None when it is no date.

    >>> days_of_text("1970-01-02")
    1
    """
    micros = micros_of_text(text) if len(text) == 10 else None
    return None if micros is None else micros // DAY_US


def micros_of_interval(text: str) -> float | None:
    """Return microseconds of `1 day 2.5 hours`, None when it is no interval of fixed length.

    >>> micros_of_interval("90 minutes"), micros_of_interval("1 month")
    (5400000000.0, None)
    """
    parts = _LENGTH.findall(text)
    if not parts or _LENGTH.sub("", text).strip():
        return None
    lengths = [float(count) * _LENGTHS_US[unit] for count, unit in parts]
    return float(round(sum(lengths)))


def _refused(value: Any, type_: str, name: str) -> DataError:
    shown = repr(value)[:60]
    return DataError(
        "TD-LANG-008",
        f"column '{name}' holds {shown} ({type(value).__name__})",
        expected=f"a {type_} or null",
        fix="Send the declared type; nothing is cast silently.",
        column=name,
        type=type_,
    )


def read_double(value: Any, name: str) -> float | None:
    """Return a number as float, NaN and None as None; TD-LANG-008 on anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not (hasattr(value, "__float__") or hasattr(value, "__index__")):
        raise _refused(value, "double", name)
    try:
        number = float(value)
    except OverflowError:
        raise _refused(value, "double", name) from None
    return None if number != number else number  # noqa: PLR0124 - NaN is the value unequal to itself


def read_id(value: Any, name: str) -> int | None:
    """Return a whole number of 64 bits, None as None; TD-LANG-008 on anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _refused(value, "id", name)
    whole = int(value)
    if not -(2**63) <= whole < 2**63:
        raise _refused(value, "id of 64 bits", name)
    return whole


def read_bool(value: Any, name: str) -> bool | None:
    """Return true, false or None; TD-LANG-008 on anything else."""
    if value is None or value is True or value is False:
        return value
    if type(value).__name__ in {"bool_", "bool"}:
        return bool(value)
    raise _refused(value, "bool", name)


def read_string(value: Any, name: str) -> str | None:
    """Return text or None; TD-LANG-008 on anything else."""
    if value is None or isinstance(value, str):
        return value
    raise _refused(value, "string", name)


def read_timestamp(value: Any, name: str) -> int | None:
    """Return microseconds since 1970 UTC of an int, an aware datetime or RFC 3339 text."""
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, str):
        micros = _micros_of_rfc3339(value)
        if micros is None:
            raise _refused(value, "timestamp (2013-04-01T06:30:00Z)", name)
        return micros
    return read_id(value, name)


def _micros_of_rfc3339(text: str) -> int | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if parsed.tzinfo is None else to_micros(parsed)


def read_date(value: Any, name: str) -> int | None:
    """Return days since 1970 of an int, a date or text such as 2013-04-01."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.toordinal() - EPOCH_DAY
    if isinstance(value, str):
        days = days_of_text(value)
        if days is None:
            raise _refused(value, "date (2013-04-01)", name)
        return days
    return read_id(value, name)


def _list_reader(type_: str, read: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def read_list(value: Any, name: str) -> list[Any] | None:
        if value is None:
            return None
        plain = value.tolist() if hasattr(value, "tolist") else value
        if not isinstance(plain, list | tuple):
            raise _refused(value, f"list of {type_}", name)
        return [read(item, f"{name}[{place}]") for place, item in enumerate(plain, start=1)]

    return read_list


_SCALAR_READERS: dict[str, Callable[[Any, str], Any]] = {
    "double": read_double,
    "id": read_id,
    "bool": read_bool,
    "string": read_string,
    "timestamp": read_timestamp,
    "date": read_date,
}

READERS: dict[str, Callable[[Any, str], Any]] = {
    **_SCALAR_READERS,
    **{f"list<{type_}>": _list_reader(type_, read) for type_, read in _SCALAR_READERS.items()},
}
"""Column type to the reader of its values; a list gives a new list, NaN among its items None."""


def finite(value: Any) -> Any:
    """Return a final value: a double that is not finite is null, also as an item of a list.

    >>> finite(math.inf), finite([1.0, math.inf])
    (None, [1.0, None])
    """
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
