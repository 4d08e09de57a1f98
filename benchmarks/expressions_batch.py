"""Twenty typical expressions over a million rows, beside DuckDB SQL written by hand.

Run: python benchmarks/expressions_batch.py [--each] [--rows 1000000]
The hand knows these rows: nulls and zeros are in them, NaN and infinities are not, so it guards
against neither. Both give the same answers here, which is checked (logarithms and distances within
4 units in the last place); both read the same Arrow table and hand an Arrow table back.
"""

from __future__ import annotations

import argparse
import statistics
import time

import duckdb
import numpy as np
import pyarrow as pa

from expressions_per_row import COLUMNS, FEATURES
from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.language.check import check
from tondo.language.parse import parse

_LOCAL = "(scheduled_at AT TIME ZONE 'America/New_York')"
BY_HAND = {
    "speed_kmh": "distance / nullif(minutes, 0) * 60::DOUBLE",
    "wind": "coalesce(gust, speed)",
    "cold": "CASE WHEN temp < 32 THEN 1.0::DOUBLE WHEN temp < 50 THEN 2.0::DOUBLE ELSE 3.0::DOUBLE END",
    "hour": f"hour({_LOCAL})::DOUBLE",
    "dow": f"isodow({_LOCAL})::DOUBLE",
    "log_distance": "ln(1 + distance)",
    "clipped": "CASE WHEN temp < 0 THEN 0.0::DOUBLE WHEN temp > 100 THEN 100.0::DOUBLE ELSE temp END",
    "bucket": "CASE WHEN distance IS NULL THEN NULL WHEN distance >= 2000 THEN 4.0::DOUBLE"
    " WHEN distance >= 1000 THEN 3.0::DOUBLE WHEN distance >= 500 THEN 2.0::DOUBLE"
    " WHEN distance >= 250 THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END",
    "lowered": "lower(name)",
    "prefix": "substr(name, 1, 3)",
    "route": "origin || '-' || dest",
    "cell": "(('0x' || substr(md5(carrier), 1, 15))::BIGINT % 64)::DOUBLE",
    "code": "CASE carrier WHEN 'UA' THEN 1.0::DOUBLE WHEN 'B6' THEN 2.0::DOUBLE WHEN 'EV' THEN"
    " 3.0::DOUBLE WHEN 'DL' THEN 4.0::DOUBLE WHEN 'AA' THEN 5.0::DOUBLE ELSE 0.0::DOUBLE END",
    "z": "(temp - 56.5::DOUBLE) * 0.056::DOUBLE",
    "km": "2 * 6371.0088::DOUBLE * asin(sqrt(pow(sin(radians(lat2 - lat1) / 2), 2)"
    " + cos(radians(lat1)) * cos(radians(lat2)) * pow(sin(radians(lon2 - lon1) / 2), 2)))",
    "age": "(2013 - year) / 10::DOUBLE",
    "hub": "origin IN ('JFK', 'EWR')",
    "risky": "late AND (temp < 32 OR speed > 25)",
    "month": f"month({_LOCAL})::DOUBLE",
    "root": "sqrt(seats)",
}
_CARRIERS = ["UA", "B6", "EV", "DL", "AA", "WN", "US", "MQ"]
_AIRPORTS = ["JFK", "EWR", "LGA", "LAX", "SFO", "BOS", "MIA", "ORD"]
_NAMES = ["Boeing 737", "Airbus A320", "Embraer 145", "CANADAIR CL-600", "McDonnell Douglas"]
NEAR = {"log_distance": 1e-12, "km": 1e-12, "age": 0.0}
"""Features whose answers may be a relative distance apart."""


def rows(count: int) -> pa.Table:
    """Return flights as they come: a year of them, some values missing, some durations zero."""
    draw = np.random.default_rng(3)
    numbers = {
        "distance": draw.uniform(80, 4900, count).round(),
        "minutes": draw.integers(0, 600, count).astype(float),
        "gust": draw.normal(25, 6, count),
        "speed": draw.normal(12, 5, count),
        "temp": draw.normal(55, 22, count).round(1),
        "seats": draw.integers(2, 450, count).astype(float),
        "year": draw.integers(1956, 2013, count).astype(float),
        "lat1": draw.uniform(40, 41, count),
        "lon1": draw.uniform(-75, -73, count),
        "lat2": draw.uniform(21, 61, count),
        "lon2": draw.uniform(-158, -70, count),
    }
    gone = {"gust": 0.7, "speed": 0.02, "temp": 0.02, "minutes": 0.03, "year": 0.1}
    columns = {
        name: pa.array(values, mask=draw.random(count) < gone.get(name, 0.0))
        for name, values in numbers.items()
    }
    instants = 1356998400000000 + draw.integers(0, 365 * 86400, count) * 1_000_000
    columns["scheduled_at"] = pa.array(instants, pa.timestamp("us", tz="UTC"))
    texts = {"carrier": _CARRIERS, "origin": _AIRPORTS, "dest": _AIRPORTS, "name": _NAMES}
    for name, values in texts.items():
        columns[name] = pa.array(
            np.array(values, dtype=object)[draw.integers(0, len(values), count)]
        )
    columns["late"] = pa.array(draw.random(count) < 0.3, mask=draw.random(count) < 0.03)
    return pa.table(columns)


def same(ours: pa.ChunkedArray, hand: pa.ChunkedArray, name: str) -> bool:
    """Return whether two columns answer the same."""
    if name not in NEAR:
        return ours.equals(hand)
    left, right = (each.to_numpy() for each in (ours, hand))
    return bool(np.allclose(left, right, rtol=NEAR[name], atol=0.0, equal_nan=True))


def seconds(work) -> tuple[float, float]:
    """Seconds by the clock and of all processors that one run took."""
    start, processors = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - processors


def compared(engine, connection, table, names, rounds) -> tuple[float, ...]:
    """Return the median seconds of ours and of the hand's, taken in turns, then of processors."""
    trees = {name: check(parse(FEATURES[name]), COLUMNS) for name in names}
    listed = ", ".join(f"{BY_HAND[name]} AS {name}" for name in names)
    connection.register("flights", table)

    def ours():
        return engine.evaluate(trees, table)

    def hand():
        return connection.sql(f"SELECT {listed} FROM flights").to_arrow_table()

    left, right = ours(), hand()
    for name in names:
        assert same(left[name], right[name], name), name
    runs = [(*seconds(ours), *seconds(hand)) for _ in range(rounds)]
    middle = [statistics.median(column) for column in zip(*runs, strict=True)]
    return middle[0], middle[2], middle[1], middle[3]


def main() -> None:
    """Measure all twenty together, and with `--each` one by one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    table = rows(options.rows)
    engine = DuckDBEngine()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = true")
    together = [(f"{len(FEATURES)} expressions", list(FEATURES), 7)]
    each = [(name, [name], 3) for name in FEATURES] if options.each else []
    found = [
        (what, *compared(engine, connection, table, names, rounds))
        for what, names, rounds in [*together, *each]
    ]
    tell(
        [f"over {options.rows:,} rows", "tondo, s", "by hand, s", "hand / tondo", "of CPU time"],
        [
            [what, f"{ours:.3f}", f"{hand:.3f}", f"{hand / ours:.2f}", f"{hand_cpu / our_cpu:.2f}"]
            for what, ours, hand, our_cpu, hand_cpu in found
        ],
    )
    engine.close()


if __name__ == "__main__":
    main()
