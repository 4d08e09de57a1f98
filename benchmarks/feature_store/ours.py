"""Our side, in a process of its own: `python -m benchmarks.feature_store.ours FOLDER JOB`.

Prints seconds and peak memory in MB as JSON; the joined rows lie in FOLDER/tondo.parquet.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.feature_store.data import DAY_US, FEATURES, SPINE, VIEW, VIEWS
from pyarrow import parquet

from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.ledger.ledger import Ledger
from tondo.ports.engine import FileTable
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.features.definitions import EntityDefinition, FeatureViewDefinition
from tondo.stages.features.joins import lookup_of
from tondo.stages.features.materialise import materialise
from tondo.stages.features.views import FeatureView, check_view


def view_of(name: str) -> FeatureView:
    return check_view(
        FeatureViewDefinition(
            view=name,
            entity="driver",
            source=name,
            owner="bench",
            description="Five numbers of a driver.",
            freshness="1d",
            arrival="pushed",
            ttl="7d",
            features={feature: feature for feature in FEATURES},
        ),
        entity=EntityDefinition(
            entity="driver", key="driver", type="id", owner="bench", description="A driver."
        ),
        source=SourceDefinition(name=name, columns=VIEW, event_time="e", key=("driver", "e")),
    )


def table_of(folder: Path, name: str) -> FileTable:
    return FileTable(paths=(folder / f"{name}.parquet",), columns=VIEW)


def join(folder: Path) -> float:
    engine = DuckDBEngine(threads=2)
    spine = FileTable(paths=(folder / "spine.parquet",), columns=SPINE)
    joins = [
        lookup_of(view_of(name), table_of(folder, name), spine_key="driver", features=FEATURES)
        for name in VIEWS
    ]
    began = time.perf_counter()
    found = engine.point_in_time(spine, time="t", lookups=joins, windows=[])
    taken = time.perf_counter() - began
    names = [name.replace("@", "").replace("[driver].", "__") for name in found.column_names]
    parquet.write_table(found.rename_columns(names), folder / "tondo.parquet")
    engine.close()
    return taken


def load(folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as state:
        clock = ManualClock(61 * DAY_US)
        ledger = Ledger.open(f"sqlite:///{state}/ledger.db", clock=clock)
        ledger.put("snapshot", "v0", {"columns": [], "files": [], "rows": 0})
        engine, online = DuckDBEngine(threads=2), LmdbStore(Path(state) / "online")
        began = time.perf_counter()
        materialise(
            view_of("v0"),
            table_of(folder, "v0"),
            engine=engine,
            online=online,
            ledger=ledger,
            clock=clock,
            snapshot="v0",
        )
        taken = time.perf_counter() - began
        online.close()
        engine.close()
        ledger.close()
    return taken


def main() -> None:
    folder, job = Path(sys.argv[1]), sys.argv[2]
    seconds = join(folder) if job == "join" else load(folder)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    print(json.dumps({"seconds": seconds, "peak_mb": int(line.split()[1]) // 1024}))


if __name__ == "__main__":
    main()
