"""Point-in-time joins of tondo beside plain DuckDB ASOF joins over the same files.

Two jobs: 100k spine rows and three lookup views of 1M rows x 5 features each; and 300k spine rows
of three origins with hourly weather, a table of planes and a window of 3 h with about 60 events.
Memory is that of a fresh process that does the first job once. Run:
python benchmarks/point_in_time_join.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.language.check import check, check_window
from tondo.language.parse import parse, parse_window
from tondo.ports.engine import FileTable, LookupJoin, WindowJoin

DAY_US = 86_400_000_000
TIME = pa.timestamp("us", tz="UTC")
ROUNDS = 5


def keep(folder: Path, name: str, columns: dict[str, str], table: pa.Table) -> FileTable:
    path = folder / f"{name}.parquet"
    pq.write_table(table, path, row_group_size=131_072)  # as snapshots are written
    return FileTable(paths=(path,), columns=columns)


def lookup(view: str, table: FileTable, key: str, features: list[str], **kw) -> LookupJoin:
    trees = {name: check(parse(name), table.columns) for name in features}
    options = {"event_time": "e", "recorded_at": None, "ttl_us": None, "cadence_us": None} | kw
    return LookupJoin(
        view=view, table=table, key=key, spine_key=key, features=trees, prefix=f"{view}_", **options
    )


def median_s(call) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


FEATURES = [f"f{place}" for place in range(5)]
VIEW_COLUMNS = {
    "driver": "id",
    "e": "timestamp",
    "r": "timestamp",
    **dict.fromkeys(FEATURES, "double"),
}
SPINE_COLUMNS = {"driver": "id", "t": "timestamp"}


def join_once(folder: Path, **kw) -> None:
    """Join the three views that lie in a folder, and print the process's peak memory in MB."""
    engine = DuckDBEngine(threads=2)
    views = [
        FileTable(paths=(folder / f"v{place}.parquet",), columns=VIEW_COLUMNS) for place in range(3)
    ]
    joins = [lookup(f"v{p}", view, "driver", FEATURES, **kw) for p, view in enumerate(views)]
    spine = FileTable(paths=(folder / "spine.parquet",), columns=SPINE_COLUMNS)
    found = engine.point_in_time(spine, time="t", lookups=joins, windows=[])
    assert found.num_rows == 100_000
    print(peak_mb())
    engine.close()


def peak_mb() -> int:
    """Return the peak of this program alone: ru_maxrss would count its parent's, from before exec."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def three_large_views(folder: Path, engine: DuckDBEngine) -> list[list[str]]:
    random = np.random.default_rng(1)
    rows, keys, span = 1_000_000, 20_000, 60 * DAY_US
    features, columns = FEATURES, VIEW_COLUMNS
    views = []
    for place in range(3):
        happened = random.integers(0, span, rows)
        late = random.integers(0, 3_600_000_000, rows) * (random.random(rows) < 0.05)
        table = {
            "driver": random.integers(0, keys, rows),
            "e": pa.array(happened, TIME),
            "r": pa.array(happened + late, TIME),
        }
        table |= {name: random.normal(size=rows) for name in features}
        views.append(keep(folder, f"v{place}", columns, pa.table(table)))
    spine = keep(
        folder,
        "spine",
        SPINE_COLUMNS,
        pa.table(
            {
                "driver": random.integers(0, keys, 100_000),
                "t": pa.array(random.integers(0, span, 100_000), TIME),
            }
        ),
    )
    plain = duckdb.connect(config={"threads": 2})
    shown = ", ".join(f"v{view}.{name}" for view in range(3) for name in features)
    joined = " ".join(
        f"ASOF LEFT JOIN '{view.paths[0]}' v{place} "
        f"ON s.driver = v{place}.driver AND s.t >= v{place}.e"
        for place, view in enumerate(views)
    )
    text = f"SELECT s.*, {shown} FROM '{spine.paths[0]}' s {joined}"

    def point_in_time(**kw):
        joins = [lookup(f"v{p}", view, "driver", features, **kw) for p, view in enumerate(views)]
        return engine.point_in_time(spine, time="t", lookups=joins, windows=[])

    floor = median_s(lambda: plain.sql(text).to_arrow_table())
    rows = []
    for name, kw in (
        ("3 views of 1M rows, 100k spine rows", {}),
        ("3 views of 1M rows, ttl 7 days", {"ttl_us": 7 * DAY_US}),
        ("3 views of 1M rows, as known (recorded_at)", {"recorded_at": "r"}),
        ("3 views of 1M rows, every hour", {"cadence_us": 3_600_000_000}),
    ):
        seconds = median_s(lambda kw=kw: point_in_time(**kw))
        rows.append([name, f"{seconds:.2f}", f"{floor:.2f}", f"{seconds / floor:.2f}"])
    for name, known in (("the first, peak memory, MB", ""), ("as known, peak memory, MB", "r")):
        command = [sys.executable, __file__, str(folder), known]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append([name, told.stdout.strip(), "", ""])
    assert point_in_time().num_rows == 100_000
    return rows


class FlightTables(NamedTuple):
    """300,000 flights, and what is known of their origins and planes."""

    spine: FileTable
    weather: FileTable
    planes: FileTable
    landings: FileTable


def flight_tables(folder: Path) -> FlightTables:
    random = np.random.default_rng(2)
    origins, hours, year = np.array(["EWR", "JFK", "LGA"]), 8700, 365 * DAY_US
    weather = keep(
        folder,
        "weather",
        {"origin": "string", "at": "timestamp", **dict.fromkeys("abcde", "double")},
        pa.table(
            {
                "origin": np.repeat(origins, hours),
                "at": pa.array(np.tile(np.arange(hours) * 3_600_000_000, 3), TIME),
                **{name: random.normal(size=3 * hours) for name in "abcde"},
            }
        ),
    )
    planes = keep(
        folder,
        "planes",
        {"tailnum": "id", "seats": "double", "year": "double"},
        pa.table(
            {
                "tailnum": np.arange(3300),
                "seats": random.normal(size=3300),
                "year": random.normal(size=3300),
            }
        ),
    )
    count = 330_000
    happened = random.integers(0, year // 60_000_000, count) * 60_000_000
    landings = keep(
        folder,
        "landings",
        {"origin": "string", "e": "timestamp", "r": "timestamp", "delay": "double"},
        pa.table(
            {
                "origin": origins[random.integers(0, 3, count)],
                "e": pa.array(happened, TIME),
                "r": pa.array(happened + random.integers(0, 3, count) * 60_000_000, TIME),
                "delay": np.round(random.normal(5, 40, count)),
            }
        ),
    )
    size = 300_000
    spine = keep(
        folder,
        "flights",
        {"origin": "string", "tailnum": "id", "t": "timestamp"},
        pa.table(
            {
                "origin": origins[random.integers(0, 3, size)],
                "tailnum": random.integers(0, 3400, size),
                "t": pa.array(
                    np.sort(random.integers(0, year // 300_000_000, size)) * 300_000_000, TIME
                ),
            }
        ),
    )
    return FlightTables(spine, weather, planes, landings)


def late_window(landings: FileTable, **texts: str) -> WindowJoin:
    calls = {n: check_window(parse_window(text), landings.columns) for n, text in texts.items()}
    return WindowJoin(
        view="late",
        table=landings,
        key="origin",
        spine_key="origin",
        event_time="e",
        recorded_at="r",
        features=calls,
        prefix="late_",
    )


def flights(folder: Path, engine: DuckDBEngine) -> list[list[str]]:
    tables = flight_tables(folder)
    lookups = [
        lookup("weather", tables.weather, "origin", list("abcde"), event_time="at"),
        lookup("planes", tables.planes, "tailnum", ["seats", "year"], event_time=None),
    ]
    two = late_window(tables.landings, mean="avg(delay) over 3h", landed="count(*) over 3h")
    spread = late_window(tables.landings, sd="stddev(delay) over 3h")
    ends = late_window(tables.landings, most="max(delay) over 3h", last="last(delay) over 3h")

    def run(joins, windows):
        return lambda: engine.point_in_time(tables.spine, time="t", lookups=joins, windows=windows)

    calls = (
        ("300k flights: weather, planes", run(lookups, [])),
        ("300k flights: avg and count over 3 h", run([], [two])),
        ("300k flights: stddev over 3 h", run([], [spread])),
        ("300k flights: max and last over 3 h", run([], [ends])),
        ("300k flights: weather, planes, avg and count", run(lookups, [two])),
    )
    return [[name, f"{median_s(call):.2f}", "", ""] for name, call in calls]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckDBEngine(threads=2)
        rows = [*three_large_views(Path(folder), engine), *flights(Path(folder), engine)]
        tell(["what", "tondo, s", "plain ASOF, s", "ratio"], rows)
        engine.close()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        join_once(Path(sys.argv[1]), recorded_at=sys.argv[2] or None)
    else:
        main()
