"""Builds a training set of wide rows in a process of its own.

`make FOLDER ROWS` writes spine and views; `build FOLDER STATE MEMORY_MB LIMIT_MB` joins them, the
engine limited to MEMORY_MB and the process to LIMIT_MB of data (0: neither), and prints the id,
the peak memory in MB and how many MB the joined rows take.
"""

import os
import resource
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

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

TIME = pa.timestamp("us", tz="UTC")
SPAN_US = 60 * 86_400_000_000
VIEW_ROWS = 50_000
VALUES = [f"f{place}" for place in range(20)]
SPINE = {"ride": "id", "driver": "id", "at": "timestamp"}
COLUMNS = {"driver": "id", "at": "timestamp", **dict.fromkeys(VALUES, "double")}
FEATURES = {
    "cars": {name: name for name in VALUES},
    "trips": {name: name for name in VALUES},
    "weeks": {name: f"avg({name}) over 7d" for name in VALUES[:4]},
}
DRIVER = EntityDefinition(
    entity="driver", key="driver", type="id", owner="ops", description="Who drives."
)


def make(folder, rows):
    random = np.random.default_rng(1)
    for view in FEATURES:
        table = {
            "driver": random.integers(0, 5_000, VIEW_ROWS),
            "at": pa.array(random.integers(0, SPAN_US, VIEW_ROWS), TIME),
            **{name: random.normal(size=VIEW_ROWS).round(3) for name in VALUES},
        }
        parquet.write_table(pa.table(table), folder / f"{view}.parquet", row_group_size=131_072)
    for part in range(2):
        count = rows // 2
        table = {
            "ride": np.arange(count) + part * count,
            "driver": random.integers(0, 5_200, count),
            "at": pa.array(random.integers(0, SPAN_US, count), TIME),
        }
        parquet.write_table(pa.table(table), folder / f"rides{part}.parquet")


def view_of(name):
    definition = FeatureViewDefinition(
        view=name,
        entity="driver",
        source=name,
        owner="ops",
        description="Measurements of drivers.",
        freshness="1d",
        arrival="pushed",
        features=FEATURES[name],
    )
    source = SourceDefinition(name=name, columns=COLUMNS, event_time="at", key=("driver", "at"))
    return check_view(definition, entity=DRIVER, source=source)


def build(folder, state, memory_mb):
    views = {name: view_of(name) for name in FEATURES}
    wanted = {f"{view}_{name}": f"@{view}.{name}" for view in FEATURES for name in FEATURES[view]}
    ledger = Ledger.open("sqlite://", clock=ManualClock(0))
    for snapshot in ("rides", *FEATURES):
        ledger.put("snapshot", snapshot, {"columns": [], "files": [], "rows": 0})
    engine = DuckDBEngine(
        threads=2, memory_limit_mb=memory_mb or None, temp_directory=state / "spill"
    )
    made = build_training_set(
        name="large",
        spine=FileTable(
            paths=(folder / "rides0.parquet", folder / "rides1.parquet"), columns=SPINE
        ),
        spine_snapshot="rides",
        time="at",
        row_id="ride",
        resolved=resolve_features(wanted, columns=SPINE, views=views, known_at={}, time="at"),
        views={
            name: (view, FileTable(paths=(folder / f"{name}.parquet",), columns=COLUMNS), name)
            for name, view in views.items()
        },
        label=None,
        engine=engine,
        blobs=ObstoreBlobs(state / "blobs"),
        ledger=ledger,
        piece_bytes=memory_mb << 18 or PIECE_BYTES,
    )
    engine.close()
    return made


def peak_mb():
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) >> 10


def main():
    folder, *rest = map(str, sys.argv[2:])
    if sys.argv[1] == "make":
        make(Path(folder), int(rest[0]))
        return
    state, memory_mb, limit_mb = Path(rest[0]), int(rest[1]), int(rest[2])
    if limit_mb:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_mb << 20, limit_mb << 20))
    made = build(Path(folder), state, memory_mb)
    width = 8 * len(made.columns)
    print(made.id, peak_mb(), made.rows * width >> 20)


if __name__ == "__main__":
    # Threads' own heaps are reserved, not used; the limit would count them.
    if "MALLOC_ARENA_MAX" not in os.environ:
        settings = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **settings})
    main()
