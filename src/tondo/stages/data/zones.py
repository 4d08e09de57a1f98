"""Times that were written without a zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tondo.core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def give_zone(
    column: pa.ChunkedArray, *, name: str, zone: str | None, where: str
) -> pa.ChunkedArray:
    """Return zoneless times as UTC, read in `zone` (TD-DATA-005 when none is declared)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if zone is None:
        raise DataError(
            "TD-DATA-005",
            f"{where}: the times of column '{name}' have no zone",
            expected="times such as 2013-04-01T10:00:00Z, or a declared zone",
            fix="Add `zone: UTC`, or for example `zone: America/New_York`, to the definition.",
            column=name,
        )
    micros = column.cast(pa.timestamp("us"))
    if zone == "UTC":
        return micros.cast(pa.timestamp("us", tz="UTC"))
    try:
        zoned = pc.assume_timezone(micros, zone)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise DataError(
            "TD-DATA-005",
            f"{where}: times of column '{name}' cannot be read in zone '{zone}': {error}",
            expected="a zone of the time zone database, and local times that occur once in it",
            fix="Write the times with their offset, or correct the zone.",
            column=name,
        ) from None
    return zoned.cast(pa.timestamp("us", tz="UTC"))
