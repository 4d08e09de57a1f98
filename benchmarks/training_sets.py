"""Training sets of 5M rows and three views of 1M rows x 5 features: time and peak memory.

Each in a process of its own: all rows joined at once, which is what tondo did before it cut the
spine, the default, and with limits on memory. Run: python benchmarks/training_sets.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from table import tell
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ledger.ledger import Ledger
from tondo.ports.engine import FileTable
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.features.definitions import EntityDefinition, FeatureViewDefinition
from tondo.stages.features.resolve import resolve_features
from tondo.stages.features.spine_pieces import PIECE_BYTES
from tondo.stages.features.training_set import build_training_set
from tondo.stages.features.views import check_view

ROWS, VIEW_ROWS, KEYS, SPAN_US = 5_000_000, 1_000_000, 20_000, 60 * 86_400_000_000
TIME = pa.timestamp("us", tz="UTC")
VIEWS = ["v0", "v1", "v2"]
VALUES = [f"f{place}" for place in range(5)]
SPINE = {"ride": "id", "driver": "id", "t": "timestamp"}
COLUMNS = {"driver": "id", "e": "timestamp", **dict.fromkeys(VALUES, "double")}
DRIVER = EntityDefinition(entity="driver", key="driver", type="id", owner="us", description="One.")


def write(folder: Path) -> None:
    random = np.random.default_rng(1)

    def rows(count: int, time: str) -> dict:
        return {
            "driver": random.integers(0, KEYS, count),
            time: pa.array(random.integers(0, SPAN_US, count), TIME),
        }

    for view in VIEWS:
        values = {name: random.normal(size=VIEW_ROWS) for name in VALUES}
        table = pa.table({**rows(VIEW_ROWS, "e"), **values})
        pq.write_table(table, folder / f"{view}.parquet", row_group_size=131_072)
    spine = pa.table({"ride": np.arange(ROWS), **rows(ROWS, "t")})
    pq.write_table(spine, folder / "spine.parquet", row_group_size=131_072)


def view_of(name: str):
    return check_view(
        FeatureViewDefinition(
            view=name,
            entity="driver",
            source=name,
            owner="us",
            description="Numbers.",
            freshness="1d",
            arrival="pushed",
            features={value: value for value in VALUES},
        ),
        entity=DRIVER,
        source=SourceDefinition(name=name, columns=COLUMNS, event_time="e", key=("driver", "e")),
    )


def build(folder: Path, state: Path, memory_mb: int, piece_bytes: int) -> None:
    """Build the set once; print the seconds, the process's peak memory in MB, and the set's id."""
    engine = DuckDBEngine(threads=2, memory_limit_mb=memory_mb or None, temp_directory=state)
    ledger = Ledger.open("sqlite://", clock=ManualClock(0))
    for snapshot in ("spine", *VIEWS):
        ledger.put("snapshot", snapshot, {"columns": [], "files": [], "rows": 0})
    views = {name: view_of(name) for name in VIEWS}
    wanted = {f"{view}_{value}": f"@{view}.{value}" for view in VIEWS for value in VALUES}
    began = time.perf_counter()
    made = build_training_set(
        name="rides",
        spine=FileTable(paths=(folder / "spine.parquet",), columns=SPINE),
        spine_snapshot="spine",
        time="t",
        row_id="ride",
        resolved=resolve_features(wanted, columns=SPINE, views=views, known_at={}, time="t"),
        views={
            name: (view, FileTable(paths=(folder / f"{name}.parquet",), columns=COLUMNS), name)
            for name, view in views.items()
        },
        label=None,
        engine=engine,
        blobs=ObstoreBlobs(state / "blobs"),
        ledger=ledger,
        piece_bytes=piece_bytes,
    )
    seconds = time.perf_counter() - began
    assert made.rows == ROWS
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    print(seconds, int(line.split()[1]) // 1024, made.id)


def main() -> None:
    ways = [
        ("all rows at once", 0, 1 << 40),
        ("no limit set", 0, PIECE_BYTES),
        ("memory_mb: 1024", 1024, 1024 << 18),
        ("memory_mb: 512", 512, 512 << 18),
        ("memory_mb: 256", 256, 256 << 18),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        rows, ids = [], set()
        for way, memory_mb, piece_bytes in ways:
            with tempfile.TemporaryDirectory(dir=folder) as state:
                command = [sys.executable, __file__, name, state, str(memory_mb), str(piece_bytes)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, peak_mb, id_ = done.stdout.split()
            ids.add(id_)
            rows.append([way, f"{float(seconds):.1f}", peak_mb])
    assert len(ids) == 1
    tell([f"{ROWS:,} rows x 18 columns, 687 MB", "seconds", "peak memory, MB"], rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
