"""A view of 1,000,000 rows loaded into the online store, beside the least that it takes.

The floor: DuckDB finds the newest row of each key with hand-written SQL, and a bare LMDB takes the
very pairs that tondo stored, in one transaction. Both are told in seconds of CPU, of all threads:
what else the machine does, and how quick its disk is, is no part of them. Feast 0.67 took 4.2 to 4.7 s for the same job
(docs/benchmarks.md says where from).

Run: python -m benchmarks materialise
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import lmdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from table import tell
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.ledger.ledger import Ledger
from tondo.ports.engine import FileTable
from tondo.stages.data.commits import commit, recorded_snapshot
from tondo.stages.data.definitions import SourceDefinition
from tondo.stages.features.definitions import EntityDefinition, FeatureViewDefinition
from tondo.stages.features.materialise import materialise
from tondo.stages.features.views import check_view

ROWS, DAYS = 1_000_000, 60
DAY_US = 86_400_000_000
NAMES = "abcde"
COLUMNS = {"driver": "id", "at": "timestamp", **dict.fromkeys(NAMES, "double")}
SOURCE = SourceDefinition(name="trips", columns=COLUMNS, event_time="at", key=("driver", "at"))
VIEW = check_view(
    FeatureViewDefinition(
        view="drivers",
        entity="driver",
        source="trips",
        owner="bench",
        description="Five numbers of a driver.",
        freshness="1d",
        arrival="pushed",
        features={name: name for name in NAMES},
    ),
    entity=EntityDefinition(
        entity="driver", key="driver", type="id", owner="bench", description="A driver."
    ),
    source=SOURCE,
)


def rows(keys: int, *, count: int = ROWS, first_day: int = 0, seed: int = 1) -> pa.Table:
    made = np.random.default_rng(seed)
    drivers = made.permutation(count) % keys
    times = first_day * DAY_US + made.integers(0, DAYS * DAY_US, count)
    columns: dict[str, Any] = {
        "driver": pa.array(drivers, pa.int64()),
        "at": pa.array(np.sort(times), pa.timestamp("us", tz="UTC")),
    }
    columns |= {name: pa.array(made.normal(size=count)) for name in NAMES}
    return pa.table(columns)


class Place:
    """A workspace's parts on a disk, with a source of some files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(2 * DAYS * DAY_US)
        self.ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}", clock=self.clock)
        self.blobs = ObstoreBlobs(folder / "blobs")
        self.engine = DuckDBEngine(threads=2)
        self.online = LmdbStore(folder / "online")

    def add(self, table: pa.Table) -> None:
        self.made = commit(
            "trips",
            table,
            ledger=self.ledger,
            blobs=self.blobs,
            clock=self.clock,
            mode="append",
            by="bench",
            why="bench",
        )

    def table(self) -> FileTable:
        found = recorded_snapshot(self.made.snapshot, ledger=self.ledger)
        paths = tuple(self.blobs.local_path(file.digest) for file in found.files)
        return FileTable(paths=paths, columns=COLUMNS)

    def load(self) -> tuple[float, Any]:
        table = self.table()
        began = time.process_time()
        done = materialise(
            VIEW,
            table,
            engine=self.engine,
            online=self.online,
            ledger=self.ledger,
            clock=self.clock,
            snapshot=self.made.snapshot,
        )
        return time.process_time() - began, done


def floor(place: Place, folder: Path, pairs: list[tuple[bytes, bytes]]) -> float:
    """Time DuckDB's newest rows by hand and a bare LMDB put of the same bytes."""
    paths = [str(path) for path in place.table().paths]
    store = lmdb.open(str(folder), map_size=4 << 30)
    began = time.process_time()
    connection = duckdb.connect(config={"threads": 2})
    found = connection.execute(
        'SELECT driver, epoch_us(max("at")), '
        + ", ".join(f'arg_max({name}, "at")' for name in NAMES)
        + " "
        "FROM read_parquet($1) GROUP BY driver",
        [paths],
    ).fetchall()
    with store.begin(write=True) as transaction:
        transaction.cursor().putmulti(pairs)
    taken = time.process_time() - began
    assert len(found) == len(pairs)
    store.close()
    return taken


def measure(keys: int, rounds: int) -> list[list[str]]:
    ours, again, added, floors = [], [], [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            place = Place(Path(name))
            place.add(rows(keys))
            taken, done = place.load()
            assert done.keys == keys
            ours.append(taken)
            pairs = place.online.scan(b"drivers\x00", b"drivers\x01")
            floors.append(floor(place, Path(name) / f"floor{number}", pairs))
            again.append(place.load()[0])
            place.add(rows(keys, count=ROWS // 100, first_day=DAYS, seed=2))
            taken, done = place.load()
            assert (done.files_read, done.files_reused) == (1, 1)
            added.append(taken)
    base = statistics.median(floors)
    named = [
        (f"1,000,000 rows, {keys:,} keys: first load", ours),
        ("the same again, nothing new", again),
        ("10,000 rows in a new file", added),
    ]
    return [
        [
            what,
            f"{statistics.median(each):.2f}",
            f"{base:.2f}",
            f"{statistics.median(each) / base:.2f}",
        ]
        for what, each in named
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:  # what is loaded late, once, is no part of a load
        warm = Path(name) / "warm.parquet"
        parquet.write_table(rows(10, count=100), warm)
        duckdb.connect().execute("SELECT count(*) FROM read_parquet($1)", [str(warm)]).fetchall()
    table = [*measure(20_000, 5), *measure(ROWS, 2)]
    tell(["what", "tondo, CPU s", "DuckDB + bare LMDB, CPU s", "ratio"], table)


if __name__ == "__main__":
    main()
