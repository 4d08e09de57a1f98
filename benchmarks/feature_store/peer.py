"""Feast's side, run by the Python of its own environment: `peer.py FOLDER JOB STORE`.

JOB is `join` or `materialise`, STORE Feast's offline store: `duckdb`, or `dask`, its default for
files. Prints seconds and peak memory in MB as JSON; the joined rows lie in FOLDER/STORE.parquet.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
from feast.types import Float64, ValueType
from pyarrow import parquet

VIEWS = ["v0", "v1", "v2"]
FEATURES = [f"f{place}" for place in range(5)]


def opened(folder: Path, kind: str) -> FeatureStore:
    state = folder / f"feast-{kind}"
    state.mkdir(exist_ok=True)
    store = FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(state / "registry.db"),
            online_store={"type": "sqlite", "path": str(state / "online.db")},
            offline_store={"type": kind},
            entity_key_serialization_version=3,
        )
    )
    driver = Entity(name="driver", join_keys=["driver"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=name,
            entities=[driver],
            ttl=timedelta(days=7),
            schema=[Field(name=feature, dtype=Float64) for feature in FEATURES],
            source=FileSource(path=str(folder / f"{name}.parquet"), timestamp_field="e"),
        )
        for name in VIEWS
    ]
    store.apply([driver, *views])
    return store


def join(store: FeatureStore, folder: Path, kind: str) -> float:
    spine = pd.read_parquet(folder / "spine.parquet").rename(columns={"t": "event_timestamp"})
    asked = [f"{view}:{feature}" for view in VIEWS for feature in FEATURES]
    began = time.perf_counter()
    # Features of the views have the same names; the full ones tell them apart.
    job = store.get_historical_features(spine, features=asked, full_feature_names=True)
    found = job.to_arrow()
    taken = time.perf_counter() - began
    parquet.write_table(pa.table(found), folder / f"{kind}.parquet")
    return taken


def materialise(store: FeatureStore) -> float:
    began = time.perf_counter()
    store.materialize(
        datetime(1969, 12, 31, tzinfo=UTC),
        datetime(1970, 3, 3, tzinfo=UTC),
        feature_views=["v0"],
        disable_event_timestamp=False,
    )
    return time.perf_counter() - began


def peak_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def main() -> None:
    folder, job, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    store = opened(folder, kind)
    seconds = join(store, folder, kind) if job == "join" else materialise(store)
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
