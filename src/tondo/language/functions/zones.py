"""Offsets of time zones as tables, read from the `tzdata` package and from nowhere else."""

from __future__ import annotations

import struct
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

FIRST_YEAR = 1900
LAST_YEAR = 2100
"""Before the first and from the last year on, the nearest known offset holds."""

BEFORE_ALL = -(2**63)
"""Earlier than every instant."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_S = int((datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_LAST_S = int((datetime(LAST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
_DAY_S = 86_400


class Zone(msgspec.Struct, frozen=True):
    """The offsets of one zone: `offsets_us[i]` holds from `starts_us[i]` on."""

    name: str
    starts_us: tuple[int, ...]
    """Rising; the first is BEFORE_ALL."""
    offsets_us: tuple[int, ...]

    def offset_us(self, instant_us: int) -> int:
        """Return what is added to UTC to get local time, in microseconds.

        >>> zone("America/New_York").offset_us(0) // 3_600_000_000
        -5
        """
        return self.offsets_us[bisect_right(self.starts_us, instant_us) - 1]

    def segment_start_us(self, instant_us: int) -> int:
        """Return the last change of clocks at or before the instant, BEFORE_ALL if none."""
        return self.starts_us[bisect_right(self.starts_us, instant_us) - 1]

    def first_instant_us(self, local_us: int) -> int:
        """Return the first instant at which local time is `local_us` or later.

        A local time that a change of clocks skips is reached at the change itself.
        """
        index = bisect_right(self.starts_us, local_us - 2 * _DAY_S * 1_000_000) - 1
        while True:
            instant = local_us - self.offsets_us[index]
            if index + 1 == len(self.starts_us) or instant < self.starts_us[index + 1]:
                return max(instant, self.starts_us[index])
            index += 1


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all zones."""
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split())


@lru_cache(maxsize=64)
def zone(name: str) -> Zone:
    """Return the table of the zone `name`, which must be one of `zone_names()`."""
    if name not in zone_names():
        raise KeyError(name)
    file = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    data = file.read_bytes()
    with file.open("rb") as opened:
        rule = ZoneInfo.from_file(opened, key=name)
    changes = [each for each in _stored_changes(data) if _FIRST_S <= each < _LAST_S]
    if b"," in data.rstrip(b"\n").rpartition(b"\n")[2]:
        changes += _ruled_changes(rule, changes[-1] if changes else _FIRST_S)
    starts, offsets = [BEFORE_ALL], [_offset_s(rule, _FIRST_S)]
    for start in changes:
        offset = _offset_s(rule, start)
        if offset != offsets[-1]:
            starts.append(start * 1_000_000)
            offsets.append(offset)
    return Zone(name, tuple(starts), tuple(each * 1_000_000 for each in offsets))


def _stored_changes(data: bytes) -> list[int]:
    """Return the instants of change in seconds that a TZif file lists (RFC 8536, section 3)."""
    counts = struct.unpack(">6I", data[20:44])
    first_block = 44 + counts[3] * 5 + counts[4] * 6 + counts[5] + counts[2] * 8
    first_block += counts[1] + counts[0]
    if data[4:5] < b"2":
        return list(struct.unpack_from(f">{counts[3]}i", data, 44))
    count = struct.unpack(">6I", data[first_block + 20 : first_block + 44])[3]
    return list(struct.unpack_from(f">{count}q", data, first_block + 44))


def _ruled_changes(rule: ZoneInfo, after_s: int) -> list[int]:
    """Return the changes after the last stored one, found week by week from the zone's rule.

    A rule (RFC 8536, section 3.3) changes the clocks twice a year, months apart.
    """
    found = []
    here = after_s
    offset = _offset_s(rule, here)
    while here < _LAST_S:
        following = here + 7 * _DAY_S
        if _offset_s(rule, following) != offset:
            low, high = here, following
            while high - low > 1:
                middle = (low + high) // 2
                if _offset_s(rule, middle) == offset:
                    low = middle
                else:
                    high = middle
            found.append(high)
            offset = _offset_s(rule, following)
        here = following
    return found


def _offset_s(rule: ZoneInfo, instant_s: int) -> int:
    local = (_EPOCH + timedelta(seconds=instant_s)).astimezone(rule)
    offset = local.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
