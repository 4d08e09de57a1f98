"""Exact statistics of T20 (1,000,000 rows x 20 columns) from Parquet: Spark beside the embedded engine.

Spark runs in local mode with two threads, in a process of its own; the first round pays for
starting it and is told apart. The memory of the driver is that of this Python process, that of
Spark the greatest of its Java process.

Run: python benchmarks/statistics_spark.py
"""

from __future__ import annotations

import resource
import statistics as plain
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from statistics_t20 import THREADS, t20
from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.engines.spark.engine import SparkEngine
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import column_types
from tondo.stages.data.statistics import Statistics, statistics

if TYPE_CHECKING:
    from tondo.ports.engine import Profiler

ROUNDS = 3


def timed(table: FileTable, engine: Profiler) -> tuple[float, Statistics]:
    wall = time.perf_counter()
    found = statistics(table, engine=engine)
    return time.perf_counter() - wall, found


def written(folder: Path) -> FileTable:
    """Write T20; what it took in memory is given back before anything is measured."""
    path = folder / "t20.parquet"
    table = t20()
    pq.write_table(table, path, compression="zstd", row_group_size=131_072)
    return FileTable(paths=(path,), columns=column_types(table) | {"id": "id"})


def java_peak_mb(engine: SparkEngine) -> float:
    """Return the greatest resident memory of the process in which Spark runs."""
    java = engine.session.sparkContext._gateway.proc.pid  # noqa: SLF001 - Spark tells it nowhere else
    lines = Path(f"/proc/{java}/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = written(Path(folder))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        spark = SparkEngine(url=f"local[{THREADS}]")
        first, _ = timed(table, spark)
        rounds = [timed(table, spark) for _ in range(ROUNDS)]
        java = java_peak_mb(spark)
        spark.close()
        driver = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        embedded = DuckDBEngine(threads=THREADS)
        beside = [timed(table, embedded) for _ in range(ROUNDS)]
        embedded.close()
    equal = all(
        ours.top == theirs.top and ours.quantiles == theirs.quantiles
        for ours, theirs in zip(
            rounds[0][1].columns.values(), beside[0][1].columns.values(), strict=True
        )
    )
    ours, theirs = (plain.median(wall for wall, _ in each) for each in (rounds, beside))
    rows = [
        ["statistics on Spark, s", f"{ours:.1f}", f"{theirs:.2f}", f"{ours / theirs:.1f}"],
        ["the first, with the start of Spark, s", f"{first:.1f}", "", ""],
        ["memory of Java, MB", f"{java:.0f}", "", ""],
        ["memory of Python, MB (before: the table's making)", f"{driver:.0f}", f"{before:.0f}", ""],
        ["top values and quantiles equal", "yes" if equal else "no", "", ""],
    ]
    tell(["1,000,000 rows x 20 columns", "Spark", "embedded", "ratio"], rows)


if __name__ == "__main__":
    main()
