"""The flights of 2013 as they would have arrived: what is known at which instant."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tondo.core.canonical import digest_bytes
from tondo.core.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tondo.ports.engine import Engine

DAY_US = 86_400_000_000
TRAFFIC_FROM = parse_instant("2013-04-01T04:00:00Z")
"""Midnight of 1 April in New York."""
TRAFFIC_UNTIL = parse_instant("2014-01-01T05:00:00Z")
REQUEST_COLUMNS = ("origin", "carrier", "dest", "tailnum", "distance", "sched_arr_time")
PURPOSE = "live"

_TIMELINE = """
select *, strftime(scheduled_at, '%Y-%m-%dT%H:%M:%SZ') as scheduled_text,
  epoch_us(scored_at) as scored_us,
  epoch_us(landed_at) as landed_us,
  coalesce(epoch_us(landed_at), epoch_us(scheduled_at) + 86400000000) as recorded_us
from departures
"""


def month_starts() -> list[tuple[str, int, int]]:
    """Return (month, from, until) of April to December, midnights in New York."""
    offsets = {"11": 4, "12": 5}  # daylight time ends on 3 November
    edges = []
    for month in range(4, 14):
        year, number = (2013, month) if month <= 12 else (2014, 1)
        hours = offsets.get(f"{month:02d}", 5 if month == 13 else 4)
        edges.append(
            (f"{year}-{number:02d}", parse_instant(f"{year}-{number:02d}-01T0{hours}:00:00Z"))
        )
    return [(name, start, following) for (name, start), (_, following) in itertools.pairwise(edges)]


def prediction_id(flight_id: str, as_of_us: int, purpose: str = PURPOSE) -> str:
    """Return the id of a prediction: the same flight asked again is the same prediction."""
    return digest_bytes(f"{flight_id} {as_of_us} {purpose}".encode())[:32]


class World:
    """All rows of the year, each with the instant at which it becomes known."""

    def __init__(
        self, flights: pa.Table, weather: pa.Table, *, departures_sql: str, engine: Engine
    ) -> None:
        departures = engine.query(departures_sql, {"flights": flights})
        timeline = engine.query(_TIMELINE, {"departures": departures})
        self._flights = flights
        self._timeline = timeline
        self._recorded = timeline["recorded_us"].to_numpy()
        self._scored = timeline["scored_us"].to_numpy()
        landed = timeline["landed_us"].to_numpy(zero_copy_only=False).astype(np.float64)
        self._landed = np.where(np.isnan(landed), np.inf, landed)
        self._weather = weather
        self._observed = weather["time_hour"].cast("int64").to_numpy()

    @property
    def rows(self) -> int:
        """How many flights there are."""
        return int(self._flights.num_rows)

    def flights_recorded(self, from_us: int, until_us: int) -> pa.Table:
        """Return the flights whose outcome became known in [from, until)."""
        return self._flights.filter((self._recorded >= from_us) & (self._recorded < until_us))

    def weather_observed(self, from_us: int, until_us: int) -> pa.Table:
        """Return the observations made in [from, until)."""
        return self._weather.filter((self._observed >= from_us) & (self._observed < until_us))

    def landings(self, from_us: int, until_us: int) -> list[dict[str, Any]]:
        """Return the landings in [from, until) in order of time, as rows of `landings`."""
        chosen = self._between(self._landed, from_us, until_us)
        table = self._timeline.select(
            ["flight_id", "origin", "landed_us", "arr_delay", "scored_us"]
        )
        return [dict(row) for row in table.take(chosen).to_pylist()]

    def observations(self, from_us: int, until_us: int) -> list[dict[str, Any]]:
        """Return the weather rows in [from, until) in order of time."""
        chosen = self._between(self._observed, from_us, until_us)
        table = self._weather.take(chosen)
        times = self._observed[chosen].tolist()
        return [
            {**row, "time_us": time} for row, time in zip(table.to_pylist(), times, strict=True)
        ]

    def to_score(
        self, from_us: int, until_us: int
    ) -> Iterator[tuple[int, str, list[dict[str, Any]]]]:
        """Yield (as-of time, origin, flights) in order: one group is one request."""
        chosen = self._between(self._scored, from_us, until_us)
        columns = ["scored_us", "flight_id", "scheduled_text", *REQUEST_COLUMNS]
        rows = self._timeline.select(columns).take(chosen).to_pylist()
        rows.sort(key=lambda row: (row["scored_us"], row["origin"], row["flight_id"]))
        start = 0
        for position in range(1, len(rows) + 1):
            first = rows[start]
            group = (first["scored_us"], first["origin"])
            if (
                position == len(rows)
                or (rows[position]["scored_us"], rows[position]["origin"]) != group
            ):
                yield (*group, rows[start:position])
                start = position

    @staticmethod
    def _between(times: np.ndarray, from_us: int, until_us: int) -> np.ndarray:
        chosen = np.flatnonzero((times >= from_us) & (times < until_us))
        return chosen[np.argsort(times[chosen], kind="stable")]
