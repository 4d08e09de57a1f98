"""Exact statistics of T20 (1,000,000 rows x 20 columns) from Parquet, beside DuckDB's SUMMARIZE.

SUMMARIZE reads the same file in the same run: its quantiles and distinct counts are approximate,
and it has no histogram, top values, zeros or lengths.

Run: python benchmarks/statistics_t20.py
"""

from __future__ import annotations

import resource
import statistics as plain
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import column_types
from tondo.stages.data.statistics import statistics

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
ROUNDS = 5
THREADS = 2


def t20() -> pa.Table:
    """8 floats, 4 integers, 5 texts of 2 to 100,000 values, an id, a time, a label."""
    random = np.random.default_rng(20)
    floats = {f"float{at}": random.normal(size=ROWS) for at in range(8)}
    integers = {f"int{at}": random.integers(0, 10 ** (at + 1), ROWS) for at in range(4)}
    texts = {
        f"text{size}": pa.array([f"v{value}" for value in random.integers(0, size, ROWS)])
        for size in (2, 20, 500, 10_000, 100_000)
    }
    rest = {
        "id": random.permutation(ROWS) * 1_000_003,
        "time": pa.array(
            1_356_998_400_000_000 + random.integers(0, 10**13, ROWS),
            pa.timestamp("us", tz="UTC"),
        ),
        "label": random.random(ROWS) < 0.2,
    }
    return pa.table({**floats, **integers, **texts, **rest})


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t20.parquet"
        table = t20()
        columns = column_types(table) | {"id": "id"}
        pq.write_table(table, path, compression="zstd", row_group_size=131_072)
        del table
        engine = DuckDBEngine(threads=THREADS)
        floor = duckdb.connect(config={"threads": THREADS})
        files = FileTable(paths=(path,), columns=columns)
        ours, floors = [], []
        for _ in range(ROUNDS):
            ours.append(timed(lambda: statistics(files, engine=engine)))
            floors.append(timed(lambda: floor.execute(f"SUMMARIZE FROM '{path}'").fetchall()))
    rows = []
    for place, name in enumerate(("wall, s", "processor, s")):
        mine, other = (plain.median(each[place] for each in times) for times in (ours, floors))
        ratio = plain.median(a[place] / b[place] for a, b in zip(ours, floors, strict=True))
        rows.append([name, f"{mine:.2f}", f"{other:.2f}", f"{ratio:.2f}"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(["peak memory of both together, MB", f"{peak:.0f}", "", ""])
    tell(["1,000,000 rows x 20 columns", "tondo, exact", "DuckDB SUMMARIZE", "ratio"], rows)


if __name__ == "__main__":
    main()
