"""Texts that the domain does not list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.stages.data.anomalies import Anomaly, Change, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.schema import ColumnSchema
    from tondo.stages.data.statistics import ColumnStatistics

# A domain that a batch would make longer than this is no list of known values any more.
LONGEST_PATCHED = 400


class _Off(msgspec.Struct, frozen=True):
    """Values outside the domain."""

    count: int
    listed: tuple[str, ...]
    exact: bool
    """False when only the most frequent values were kept, so that `count` is the least it is."""


def check(name: str, found: ColumnStatistics, expected: ColumnSchema) -> Iterator[Anomaly]:
    """Report values off the domain when they are more than its mass allows."""
    if expected.domain is None or found.type != "string" or found.present == 0:
        return
    off = _outside(found, set(expected.domain))
    mass = (found.present - off.count) / found.present
    if mass >= expected.min_domain_mass:
        return
    at_least = "" if off.exact else "at least "
    allowed = 1 - expected.min_domain_mass
    beyond = f", more than the {allowed:.3g} allowed" if expected.min_domain_mass < 1 else ""
    yield Anomaly(
        code="TD-SCHEMA-013",
        kind="domain",
        column=name,
        numbers={
            "outside": off.count,
            "present": found.present,
            "mass": mass,
            "min_domain_mass": expected.min_domain_mass,
        },
        message=(
            f"{name}: {at_least}{off.count:,} of {found.present:,} values "
            f"({share(off.count, found.present)}) are not among the {len(expected.domain)} known "
            f"ones: {', '.join(repr(value) for value in off.listed[:5])}{beyond}"
        ),
        examples=off.listed[:10],
        patch=(_accept(name, expected.domain, off),),
    )


def _outside(found: ColumnStatistics, domain: set[str]) -> _Off:
    listed = [(str(value), count) for value, count in found.top if value not in domain]
    outside = sum(count for _, count in listed)
    if found.tail == 0:
        return _Off(outside, tuple(value for value, _ in listed), exact=True)
    # Known values that are not among the kept ones occur at most as often as the rarest kept.
    unseen = len(domain) - (len(found.top) - len(listed))
    hidden = max(found.tail - unseen * found.top[-1][1], 0)
    return _Off(outside + hidden, tuple(value for value, _ in listed), exact=False)


def _accept(name: str, domain: tuple[str, ...], off: _Off) -> Change:
    longer = sorted({*domain, *off.listed})
    too_long = not off.exact or len(longer) > LONGEST_PATCHED
    return Change(path=("columns", name, "domain"), value=None if too_long else longer)
