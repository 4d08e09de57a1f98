"""Operations on statistics of snapshots."""

from __future__ import annotations

from tondo.workspace.operation import Operation, read

_SNAPSHOT = "/v1/snapshots/{ref}"

STATISTICS: tuple[Operation, ...] = (
    read(
        "snapshot.statistics",
        "data.statistics",
        f"{_SNAPSHOT}/statistics",
        "Show exact statistics of a snapshot's columns.",
    ),
    read(
        "snapshot.slices",
        "statistics.slices",
        f"{_SNAPSHOT}/slices",
        "Show exact statistics of slices of a snapshot.",
    ),
    read(
        "snapshot.crosses",
        "statistics.crosses",
        f"{_SNAPSHOT}/crosses",
        "Show what a snapshot's columns say of each other: correlation, Cramér's V, lift.",
    ),
    read(
        "snapshot.compare",
        "statistics.compare",
        f"{_SNAPSHOT}/comparison/{{other}}",
        "Show what changed from one snapshot's statistics to another's.",
    ),
    read(
        "snapshot.skew",
        "statistics.skew",
        f"{_SNAPSHOT}/skew/{{other}}",
        "Join two snapshots on a key and show in which columns the same rows differ.",
    ),
)
