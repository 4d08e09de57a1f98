"""Rides and views of their drivers, in any size: what large training sets are joined from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

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
from tondo.stages.features.training_set import TrainingSet, build_training_set
from tondo.stages.features.views import check_view

TIME = pa.timestamp("us", tz="UTC")
SPAN_US = 60 * 86_400_000_000
ROW_GROUP = 131_072
SPINE = {"ride": "id", "driver": "id", "at": "timestamp"}
DRIVER = EntityDefinition(
    entity="driver", key="driver", type="id", owner="ops", description="Who drives."
)


class Rides(NamedTuple):
    """How many rides and measurements there are, and what views tell of drivers."""

    rows: int
    view_rows: int
    drivers: int
    features: dict[str, dict[str, str]]
    """View to its features; what they read are columns f0, f1 and so on."""
    values: int
    """Columns of numbers that each view's source has."""

    @property
    def columns(self) -> dict[str, str]:
        """Columns of each view's source."""
        names = [f"f{place}" for place in range(self.values)]
        return {"driver": "id", "at": "timestamp", **dict.fromkeys(names, "double")}


def write(rides: Rides, folder: Path) -> None:
    """Write views and, in two files, the spine; a few rides are of drivers without a row."""
    random = np.random.default_rng(1)

    def keys(drivers: int, count: int) -> dict:
        at = pa.array(random.integers(0, SPAN_US, count), TIME)
        return {"driver": random.integers(0, drivers, count), "at": at}

    numbers = list(rides.columns)[2:]
    for view in rides.features:
        values = {name: random.normal(size=rides.view_rows).round(3) for name in numbers}
        table = pa.table({**keys(rides.drivers, rides.view_rows), **values})
        parquet.write_table(table, folder / f"{view}.parquet", row_group_size=ROW_GROUP)
    count = rides.rows // 2
    for part in range(2):
        ids = {"ride": np.arange(count) + part * count}
        table = pa.table({**ids, **keys(rides.drivers + rides.drivers // 25, count)})
        parquet.write_table(table, folder / f"rides{part}.parquet", row_group_size=ROW_GROUP)


def join(
    rides: Rides, folder: Path, state: Path, *, memory_mb: int, piece_bytes: int
) -> TrainingSet:
    """Join what was written, by an engine of so much memory (0: its own limit)."""
    views = {name: _view(rides, name) for name in rides.features}
    wanted = {
        f"{view}_{name}": f"@{view}.{name}"
        for view, features in rides.features.items()
        for name in features
    }
    ledger = Ledger.open("sqlite://", clock=ManualClock(0))
    for snapshot in ("rides", *views):
        ledger.put("snapshot", snapshot, {"columns": [], "files": [], "rows": 0})
    engine = DuckDBEngine(
        threads=2, memory_limit_mb=memory_mb or None, temp_directory=state / "spill"
    )
    made = build_training_set(
        name="rides",
        spine=FileTable(
            paths=(folder / "rides0.parquet", folder / "rides1.parquet"), columns=SPINE
        ),
        spine_snapshot="rides",
        time="at",
        row_id="ride",
        resolved=resolve_features(wanted, columns=SPINE, views=views, known_at={}, time="at"),
        views={
            name: (
                view,
                FileTable(paths=(folder / f"{name}.parquet",), columns=rides.columns),
                name,
            )
            for name, view in views.items()
        },
        label=None,
        engine=engine,
        blobs=ObstoreBlobs(state / "blobs"),
        ledger=ledger,
        piece_bytes=piece_bytes,
    )
    engine.close()
    return made


def _view(rides: Rides, name: str):
    definition = FeatureViewDefinition(
        view=name,
        entity="driver",
        source=name,
        owner="ops",
        description="Measurements of drivers.",
        freshness="1d",
        arrival="pushed",
        features=rides.features[name],
    )
    key = ("driver", "at")
    source = SourceDefinition(name=name, columns=rides.columns, event_time="at", key=key)
    return check_view(definition, entity=DRIVER, source=source)


def peak_mb() -> int:
    """Return the most memory that this process has had."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) >> 10
