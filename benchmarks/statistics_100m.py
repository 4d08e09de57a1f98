"""Exact statistics of 100,000,000 rows x 20 columns in 100 Parquet files, in bounded memory.

Each file is T20 with another seed, floats at full precision and ids that never repeat. A fresh
process profiles them through `statistics(FileTable)`, as a snapshot is profiled: two threads, the
engine's memory limit and spilling as below. Beside it, in a fresh process of its own with the same
settings, stands DuckDB's SUMMARIZE of the same files: approximate quantiles and distinct counts, no
histograms and no top values.

Run: python benchmarks/statistics_100m.py [MILLIONS]     (about 11 GB of disk for 100)
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import tell

MILLIONS = 100
THREADS = 2
MEMORY_LIMIT_MB = 1500
"""Of the engine; NumPy's and Arrow's own memory comes on top."""


def write(folder: Path, millions: int) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from statistics_t20 import ROWS, t20

    for at in range(millions):
        table = t20(seed=at, decimals=None)
        ids = pc.add(table["id"], pa.scalar(at * ROWS * 1_000_003))
        table = table.set_column(table.column_names.index("id"), "id", ids)
        pq.write_table(table, folder / f"{at:03}.parquet", compression="snappy")


def ours(folder: Path) -> dict[str, float]:
    """Profile the files in this process; return seconds, processor seconds, peak MB and checks."""
    from statistics_t20 import t20_files
    from tondo.adapters.engines.duckdb.engine import DuckDBEngine
    from tondo.stages.data.statistics import statistics

    files = t20_files(sorted(folder.glob("*.parquet")))
    engine = DuckDBEngine(
        threads=THREADS, memory_limit_mb=MEMORY_LIMIT_MB, temp_directory=folder / "spill"
    )
    found = statistics(files, engine=engine)
    engine.close()
    unique = found.columns["id"]
    return measured() | {"rows": found.rows, "ids": unique.distinct or 0, "top": unique.top[0][1]}


def theirs(folder: Path) -> dict[str, float]:
    """SUMMARIZE the files in this process."""
    import duckdb

    limits = {"threads": THREADS, "memory_limit": f"{MEMORY_LIMIT_MB}MB"}
    connection = duckdb.connect(config={**limits, "temp_directory": str(folder / "spill")})
    connection.execute(f"SUMMARIZE FROM '{folder}/*.parquet'").fetchall()
    return measured()


def measured() -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"processor": time.process_time(), "peak": peak}


def fresh(what: str, folder: Path) -> dict[str, float]:
    """Run `ours` or `theirs` in a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, __file__, what, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found | {"wall": time.perf_counter() - start}


def main(millions: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, millions)
        size = sum(path.stat().st_size for path in folder.glob("*.parquet")) / 1e9
        found = {"tondo": fresh("ours", folder), "DuckDB SUMMARIZE": fresh("theirs", folder)}
    rows = [
        [who, f"{each['wall']:.0f}", f"{each['processor']:.0f}", f"{each['peak']:,.0f}"]
        for who, each in found.items()
    ]
    checks = found["tondo"]
    told = f"{checks['rows']:,.0f} / {checks['ids']:,.0f} / {checks['top']:.0f}"
    rows.append([f"rows / distinct ids / top count of an id: {told}", "", "", ""])
    head = f"{millions},000,000 rows x 20 columns, {size:.1f} GB of Parquet"
    tell([head, "wall, s", "processor, s", "peak memory, MB"], rows)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps({"ours": ours, "theirs": theirs}[sys.argv[1]](Path(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MILLIONS)
