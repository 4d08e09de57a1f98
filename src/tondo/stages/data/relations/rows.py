"""The columns that relations are tested on, also as they would be after a repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tondo.language.functions.zones import zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pyarrow as pa

    from tondo.stages.data.column_numbers import ColumnNumbers

_YEARS = (1900, 2100)
"""Offsets of zones are known between these; instants elsewhere are taken as missing."""


class Rows:
    """Columns of the same rows: as numbers, and of times besides the instants.

    Instants are microseconds UTC as float64, which is exact for these years; NaN where missing.
    """

    def __init__(
        self, columns: Mapping[str, ColumnNumbers], instants: Mapping[str, np.ndarray]
    ) -> None:
        self.columns = columns
        self.instants = instants
        self._local: dict[tuple[str, str], np.ndarray] = {}

    def __len__(self) -> int:
        return next((len(each.values) for each in self.columns.values()), 0)

    def values(self, name: str) -> np.ndarray:
        """Return a column's numbers."""
        return self.columns[name].values

    def missing(self, name: str) -> np.ndarray:
        """Return where a column has no value."""
        import numpy as np

        nothing: np.ndarray = np.isnan(self.values(name))
        return nothing

    def local(self, time: str, zone_name: str) -> np.ndarray:
        """Return a time column's local instants in a zone; NaN where missing."""
        import numpy as np

        key = (time, zone_name)
        if key not in self._local:
            known = zone(zone_name)
            instants = self.instants[time]
            if len(known.starts_us) == 1:
                self._local[key] = instants + known.offsets_us[0]
            else:
                starts = np.array(known.starts_us[1:], dtype=np.float64)
                places = np.searchsorted(starts, instants, side="right")
                self._local[key] = instants + np.array(known.offsets_us, dtype=np.float64)[places]
        return self._local[key]

    def take(self, chosen: Any) -> Rows:
        """Return some of the rows: places, a mask or a slice."""
        columns = {name: each.part(chosen) for name, each in self.columns.items()}
        return Rows(columns, {name: each[chosen] for name, each in self.instants.items()})

    def exchanged(self, first: str, second: str) -> Rows:
        """Return the rows with the values of two columns exchanged."""
        swap = {first: self.columns[second], second: self.columns[first]}
        return Rows({**self.columns, **swap}, self.instants)

    def moved(self, time: str, hours: int) -> Rows:
        """Return the rows with every instant of a column later by so many hours."""
        later = self.instants[time] + hours * 3_600_000_000
        return Rows(self.columns, {**self.instants, time: later})


def instants_of(column: pa.ChunkedArray) -> np.ndarray:
    """Return a time column's instants, those without a zone read as UTC; NaN where missing."""
    import numpy as np
    import pyarrow as pa

    micros = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    whole = micros.combine_chunks().cast(pa.int64()).cast(pa.float64(), safe=False)
    instants = np.array(whole.to_numpy(zero_copy_only=False), dtype=np.float64)
    low, high = (
        np.datetime64(f"{year}-01-01", "us").astype(np.int64).astype(np.float64) for year in _YEARS
    )
    instants[~((instants >= low) & (instants < high))] = np.nan
    return instants
