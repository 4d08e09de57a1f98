"""Parts of local times as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

_SECOND, _MINUTE, _HOUR, _DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


def time_part(part: str, local_us: np.ndarray) -> np.ndarray:
    """Return a part of local instants in microseconds, as float64; NaN where there is none.

    >>> import numpy as np
    >>> at = np.array([1_356_998_400_000_000.0])  # Tuesday, 1 January 2013
    >>> [int(time_part(each, at)[0]) for each in ("year", "day", "iso_weekday", "day_of_year")]
    [2013, 1, 2, 1]
    """
    import numpy as np

    there = ~np.isnan(local_us)
    found = np.full(len(local_us), np.nan)
    found[there] = PARTS[part](local_us[there].astype(np.int64))
    return found


def _days(local: np.ndarray) -> Any:
    return local // _DAY


def _dates(local: np.ndarray, unit: str) -> Any:
    return _days(local).astype("datetime64[D]").astype(f"datetime64[{unit}]")


def _year(local: np.ndarray) -> Any:
    return _dates(local, "Y").astype("int64") + 1970


def _month(local: np.ndarray) -> Any:
    return _dates(local, "M").astype("int64") % 12 + 1


def _quarter(local: np.ndarray) -> Any:
    return (_month(local) - 1) // 3 + 1


def _day(local: np.ndarray) -> Any:
    return _days(local) - _dates(local, "M").astype("datetime64[D]").astype("int64") + 1


def _day_of_year(local: np.ndarray) -> Any:
    return _days(local) - _dates(local, "Y").astype("datetime64[D]").astype("int64") + 1


def _weekday(local: np.ndarray) -> Any:
    # 1 January 1970 was a Thursday.
    return (_days(local) + 3) % 7


def _iso_weekday(local: np.ndarray) -> Any:
    return _weekday(local) + 1


def _weekday_from_sunday(local: np.ndarray) -> Any:
    return (_weekday(local) + 1) % 7


def _hour(local: np.ndarray) -> Any:
    return local % _DAY // _HOUR


def _minute(local: np.ndarray) -> Any:
    return local % _HOUR // _MINUTE


def _second(local: np.ndarray) -> Any:
    return local % _MINUTE // _SECOND


PARTS: dict[str, Callable[[np.ndarray], Any]] = {
    "hour": _hour,
    "day": _day,
    "day_of_year": _day_of_year,
    "iso_weekday": _iso_weekday,
    "weekday": _weekday,
    "weekday_from_sunday": _weekday_from_sunday,
    "month": _month,
    "quarter": _quarter,
    "year": _year,
    "date": _days,
    "minute": _minute,
    "second": _second,
}
"""Name to the part; weekdays from Monday as 0, `iso_weekday` from Monday as 1; `date` is days since
1970, as date columns are read."""

ZONELESS = ("minute", "second")
"""Parts that nearly all zones share: where UTC fits, it stands for all."""
