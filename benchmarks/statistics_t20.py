"""Exact statistics of T20 (1,000,000 rows x 20 columns) from Parquet, beside DuckDB's SUMMARIZE.

SUMMARIZE reads the same file in the same run: its quantiles and distinct counts are approximate,
and it has no histogram, top values, zeros or lengths. Polars, where it is installed, does about
as much: describe, distinct counts and top values, without histograms. Then 100 slices by value,
whose cost is told in passes of the statistics, and every pair of columns, beside DuckDB's
own corr and covar_pop of the same pairs.

Run: python benchmarks/statistics_t20.py
"""

from __future__ import annotations

import importlib.util
import resource
import statistics as plain
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from table import tell
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ports.engine import FileTable
from tondo.stages.data.arrow_types import column_types
from tondo.stages.data.cross import crosses
from tondo.stages.data.slices import slice_statistics
from tondo.stages.data.statistics import statistics

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
ROUNDS = 5
THREADS = 2
SLICES = "int1"
"""A column of 100 values."""
Times = list[tuple[float, float]]


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


def polars_of(path: Path) -> Callable[[], object] | None:
    """Return what Polars does of the same; nothing where it is not installed."""
    if importlib.util.find_spec("polars") is None:
        return None
    import polars as pl

    def described() -> object:
        table = pl.read_parquet(path)
        counts = [table[name].value_counts(sort=True).head(20) for name in table.columns]
        return table.describe(), table.select(pl.all().n_unique()).row(0), counts

    return described


def all_pairs(connection: Any, path: Path, numeric: list[str]) -> object:
    asked = [f"corr({a}, {b}), covar_pop({a}, {b})" for a, b in combinations(numeric, 2)]
    return connection.execute(f"SELECT {', '.join(asked)} FROM '{path}'").fetchall()


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
        numeric = [name for name, type_ in columns.items() if type_ == "double"]
        work: dict[str, Callable[[], object] | None] = {
            "tondo": lambda: statistics(files, engine=engine),
            "slices": lambda: slice_statistics(files, by=[SLICES], engine=engine),
            "crosses": lambda: crosses(files, engine=engine, label="label"),
        }
        times, peak = rounds(work)
        peers = {
            "SUMMARIZE": lambda: floor.execute(f"SUMMARIZE FROM '{path}'").fetchall(),
            "Polars": polars_of(path),
            "pairs": lambda: all_pairs(floor, path, numeric),
        }
        times |= rounds(peers)[0]
    told(times, peak)


def rounds(work: dict[str, Callable[[], object] | None]) -> tuple[dict[str, Times], float]:
    """Do each piece of work in turn, some rounds; return times and the peak of memory in MB."""
    times: dict[str, Times] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, each in work.items():
            if each is not None:
                times[name].append(timed(each))
    return times, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(times: dict[str, Times], peak: float) -> None:
    def median(name: str, place: int) -> float:
        return plain.median(each[place] for each in times[name]) if times[name] else float("nan")

    asked = {
        "statistics": ("tondo", "SUMMARIZE"),
        "statistics, beside Polars": ("tondo", "Polars"),
        "100 slices, in passes of the statistics": ("slices", "tondo"),
        "all pairs, beside corr and covar_pop": ("crosses", "pairs"),
    }
    rows = []
    for name, (ours, other) in asked.items():
        wall, processor, beside = median(ours, 0), median(ours, 1), median(other, 0)
        shown = [f"{wall:.2f}", f"{processor:.2f}", f"{beside:.2f}", f"{wall / beside:.2f}"]
        rows.append([name, *(each.replace("nan", "-") for each in shown)])
    rows.append(["peak memory of ours, MB", f"{peak:.0f}", "", "", ""])
    head = ["1,000,000 rows x 20 columns", "wall, s", "processor, s", "beside, wall, s", "ratio"]
    tell(head, rows)


if __name__ == "__main__":
    main()
