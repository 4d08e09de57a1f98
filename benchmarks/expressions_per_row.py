"""Twenty typical expressions on one row, beside the same twenty written by hand.

Run: python benchmarks/expressions_per_row.py
The floor knows its row: no check of types, nulls handled only where the hand needs to. Ours keeps
the last 4,096 hashed categories, which the floor does not.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone
from hashlib import md5

from table import tell
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.language.rows import compile_rows, compile_vector

COLUMNS = {
    "distance": "double",
    "minutes": "double",
    "gust": "double",
    "speed": "double",
    "temp": "double",
    "seats": "double",
    "year": "double",
    "scheduled_at": "timestamp",
    "carrier": "string",
    "origin": "string",
    "dest": "string",
    "name": "string",
    "lat1": "double",
    "lon1": "double",
    "lat2": "double",
    "lon2": "double",
    "late": "bool",
}
FEATURES = {
    "speed_kmh": "distance / nullif(minutes, 0) * 60",
    "wind": "coalesce(gust, speed)",
    "cold": "case when temp < 32 then 1 when temp < 50 then 2 else 3 end",
    "hour": "hour(scheduled_at, 'America/New_York')",
    "dow": "day_of_week(scheduled_at, 'America/New_York')",
    "log_distance": "log1p(distance)",
    "clipped": "clip(temp, 0, 100)",
    "bucket": "bucketize(distance, 250, 500, 1000, 2000)",
    "lowered": "lower(name)",
    "prefix": "substr(name, 1, 3)",
    "route": "concat(origin, '-', dest)",
    "cell": "hash_bucket(carrier, 64)",
    "code": "position_in(carrier, 'UA', 'B6', 'EV', 'DL', 'AA')",
    "z": "(temp - 56.5) * 0.056",
    "km": "haversine_km(lat1, lon1, lat2, lon2)",
    "age": "(2013 - year) / 10",
    "hub": "origin in ('JFK', 'EWR')",
    "risky": "late and (temp < 32 or speed > 25)",
    "month": "month(scheduled_at, 'America/New_York')",
    "root": "sqrt(seats)",
}
ROW = {
    "distance": 2475.0,
    "minutes": 349.0,
    "gust": None,
    "speed": 12.7,
    "temp": 39.0,
    "seats": 190.0,
    "year": 2001.0,
    "scheduled_at": 1356998400000000,
    "carrier": "B6",
    "origin": "JFK",
    "dest": "LAX",
    "name": "Boeing 737",
    "lat1": 40.6413,
    "lon1": -73.7781,
    "lat2": 33.9416,
    "lon2": -118.4085,
    "late": True,
}

_BOUNDS = [250.0, 500.0, 1000.0, 2000.0]
_CODES = {"UA": 1.0, "B6": 2.0, "EV": 3.0, "DL": 4.0, "AA": 5.0}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL = timezone(timedelta(hours=-5))


def by_hand(row):
    """The floor: what a person would write for this row."""
    minutes, gust, temp, name = row["minutes"], row["gust"], row["temp"], row["name"]
    local = (_EPOCH + timedelta(microseconds=row["scheduled_at"])).astimezone(_LOCAL)
    p1, p2 = math.radians(row["lat1"]), math.radians(row["lat2"])
    a = math.sin((p2 - p1) / 2) ** 2
    a += math.cos(p1) * math.cos(p2) * math.sin(math.radians(row["lon2"] - row["lon1"]) / 2) ** 2
    return [
        row["distance"] / minutes * 60 if minutes else None,
        gust if gust is not None else row["speed"],
        1.0 if temp < 32 else 2.0 if temp < 50 else 3.0,
        local.hour,
        local.isoweekday(),
        math.log1p(row["distance"]),
        min(max(temp, 0.0), 100.0),
        bisect_right(_BOUNDS, row["distance"]),
        name.lower(),
        name[:3],
        row["origin"] + "-" + row["dest"],
        int(md5(row["carrier"].encode(), usedforsecurity=False).hexdigest()[:15], 16) % 64,
        _CODES.get(row["carrier"], 0.0),
        (temp - 56.5) * 0.056,
        2 * 6371.0088 * math.asin(math.sqrt(a)),
        (2013 - row["year"]) / 10,
        row["origin"] in {"JFK", "EWR"},
        row["late"] and (temp < 32 or row["speed"] > 25),
        local.month,
        math.sqrt(row["seats"]),
    ]


def microseconds(function, rounds: int = 20_000) -> float:
    """Mean time of one call."""
    start = time.perf_counter()
    for _ in range(rounds):
        function(ROW)
    return (time.perf_counter() - start) / rounds * 1e6


def main() -> None:
    """Measure in 7 interleaved rounds and print medians and their ratio."""
    trees = {name: check(parse(text), COLUMNS, text=text) for name, text in FEATURES.items()}
    compiled = compile_rows(trees)
    numeric = {name: each for name, each in trees.items() if each.type in {"double", "bool"}}
    vector = compile_vector(numeric)
    for ours, floor in zip(compiled(ROW), by_hand(ROW), strict=True):
        assert ours == floor or abs(ours - floor) <= 1e-9 * abs(floor), (ours, floor)
    runs = [[microseconds(each) for each in (compiled, vector, by_hand)] for _ in range(7)]
    ours, vectors, floor = (statistics.median(column) for column in zip(*runs, strict=True))
    start = time.perf_counter()
    for text in FEATURES.values():
        check(parse(text), COLUMNS)
    parsed_ms = (time.perf_counter() - start) * 1e3
    start = time.perf_counter()
    compile_rows(trees)
    compiled_ms = (time.perf_counter() - start) * 1e3
    figures = {
        "expressions": len(FEATURES),
        "tondo_us": round(ours, 2),
        "by_hand_us": round(floor, 2),
        "ratio": round(ours / floor, 2),
        "vector_us": round(vectors, 2),
        "vector_features": len(numeric),
        "parse_and_check_ms": round(parsed_ms, 2),
        "compile_ms": round(compiled_ms, 2),
    }
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    tell(
        ["what", "tondo", "by hand", "ratio"],
        [
            [
                f"{len(FEATURES)} expressions on one row, us",
                f"{ours:.2f}",
                f"{floor:.2f}",
                f"{ours / floor:.2f}",
            ],
            [f"{len(numeric)} of them as a model's vector, us", f"{vectors:.2f}", "", ""],
            ["once a model: parse and check all, ms", f"{parsed_ms:.1f}", "", ""],
            ["once a model: compile all, ms", f"{compiled_ms:.1f}", "", ""],
        ],
    )


if __name__ == "__main__":
    main()
