"""The rows that both sides read: three views of 1M rows and five features, 100k spine rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from pathlib import Path

DAY_US = 86_400_000_000
KEYS, SPAN_US = 20_000, 60 * DAY_US
VIEW_ROWS, SPINE_ROWS = 1_000_000, 100_000
TIME = pa.timestamp("us", tz="UTC")
VIEWS = ["v0", "v1", "v2"]
FEATURES = [f"f{place}" for place in range(5)]
VIEW = {"driver": "id", "e": "timestamp", **dict.fromkeys(FEATURES, "double")}
SPINE = {"ride": "id", "driver": "id", "t": "timestamp"}


def write(folder: Path) -> None:
    """Write `v0.parquet` to `v2.parquet` and `spine.parquet`; some spine keys are in no view."""
    random = np.random.default_rng(1)

    def rows(count: int, keys: int, time: str) -> dict[str, object]:
        return {
            "driver": random.integers(0, keys, count),
            time: pa.array(random.integers(0, SPAN_US, count), TIME),
        }

    for view in VIEWS:
        values = {name: random.normal(size=VIEW_ROWS) for name in FEATURES}
        table = pa.table({**rows(VIEW_ROWS, KEYS, "e"), **values})
        parquet.write_table(table, folder / f"{view}.parquet", row_group_size=131_072)
    spine = {"ride": np.arange(SPINE_ROWS), **rows(SPINE_ROWS, KEYS + 20, "t")}
    parquet.write_table(pa.table(spine), folder / "spine.parquet")
