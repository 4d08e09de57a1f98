"""Texts that the domain does not list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tondo.core.columns import STRING
from tondo.stages.data.anomalies import Change, anomaly, column_change, share
from tondo.stages.data.rules.counted import counted, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tondo.stages.data.anomalies import Anomaly
    from tondo.stages.data.rules.counted import Counted
    from tondo.stages.data.schema import Schema
    from tondo.stages.data.statistics import ColumnStatistics

# A short domain that a batch would make longer than this is no list of known values any more; a
# long one that a person wrote may still double.
LONGEST_PATCHED = 400


class _Off(msgspec.Struct, frozen=True):
    """Values outside the domain."""

    count: float
    listed: tuple[str, ...]
    exact: bool
    """False when only the most frequent values were kept, so that `count` is the least it is."""


def check(name: str, found: ColumnStatistics, schema: Schema) -> Iterator[Anomaly]:
    """Report values off the domain when they are more than its mass allows."""
    expected = schema.columns[name]
    shared = expected.shared_domain
    domain = expected.domain if shared is None else schema.domains[shared]
    counts = counted(found)
    if domain is None or found.type != STRING or counts.present == 0:
        return
    off = _outside(counts, set(domain))
    # One division, rounded once: 9 of 10 is the 0.9 that a person wrote.
    mass = (counts.present - off.count) / counts.present
    if mass >= expected.min_domain_mass:
        return
    at_least = "" if off.exact else "at least "
    allowed = f"{100 * (1 - expected.min_domain_mass):.3g} %"
    beyond = f", more than the {allowed} allowed" if expected.min_domain_mass < 1 else ""
    yield anomaly(
        "domain",
        name,
        f"{at_least}{said(off.count)} of {said(counts.present)} values{counts.by} "
        f"({share(off.count, counts.present)}) are not among the {len(domain)} known "
        f"ones: {', '.join(repr(value) for value in off.listed[:5])}{beyond}",
        numbers={
            "outside": off.count,
            "present": counts.present,
            "mass": mass,
            "min_domain_mass": expected.min_domain_mass,
        },
        examples=off.listed[:10],
        patch=_accept(name, domain, off, schema),
    )


def _outside(found: Counted, domain: set[str]) -> _Off:
    listed = [(str(value), count) for value, count in found.top if value not in domain]
    outside = sum(count for _, count in listed)
    if found.tail == 0:
        return _Off(outside, tuple(value for value, _ in listed), exact=True)
    if not found.top:
        return _Off(0, (), exact=False)
    # Known values that are not among the kept ones occur at most as often as the rarest kept.
    unseen = len(domain) - (len(found.top) - len(listed))
    hidden = max(found.tail - unseen * found.top[-1][1], 0)
    return _Off(outside + hidden, tuple(value for value, _ in listed), exact=False)


def _accept(name: str, domain: tuple[str, ...], off: _Off, schema: Schema) -> tuple[Change, ...]:
    shared = schema.columns[name].shared_domain
    longer = sorted({*domain, *off.listed})
    if not off.exact or len(longer) > max(LONGEST_PATCHED, 2 * len(domain)):
        return (column_change(name, "domain" if shared is None else "shared_domain", value=None),)
    if shared is None:
        return (column_change(name, "domain", value=longer),)
    users = [each for each, column in schema.columns.items() if column.shared_domain == shared]
    if users == [name]:
        return (Change(path=("domains", shared), value=longer),)
    # A longer shared domain would loosen what the other columns promise, so this one parts.
    return (
        column_change(name, "shared_domain", value=None),
        column_change(name, "domain", value=longer),
    )
