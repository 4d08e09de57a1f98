"""Rows remembered per file of the spine are those of a join in one go, whatever arrives when.

Files of spine and views are added in random order of time: late ones, empty ones, ones without
times, with equal times on both sides of a border. After each addition the training set's rows are
joined with the memory of all additions before, in pieces of some rows or of all, and once more in
one go.
"""

import sys
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from airport import LANDINGS, ORIGIN, TIME, delays_view, rows_table, weather_view
from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.language.check import check
from tondo.language.parse import parse
from tondo.ledger.ledger import Ledger
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.snapshots import Snapshot, manifest, snapshot_table, write_file
from tondo.stages.features.joined_files import JoinRecipe, joined_rows
from tondo.stages.features.views import check_view

SECOND_US = 1_000_000
SPINE = {"origin": "string", "at": "timestamp", "y": "double"}
LOOKUP = {"source": "landings", "features": {"delay": "delay", "flight": "flight"}}
WINDOWS = {
    "mean": "avg(delay) over 10s",
    "n": "count(*) over 4s",
    "sd": "stddev(delay) over 10s",
    "last": "last(delay) over 10s",
    "least": "min(delay) over 4s",
}
TIMELY = msgspec.structs.replace(LANDINGS, recorded_at=None)
TIMELESS = msgspec.structs.replace(TIMELY, event_time=None)


def looked_up(name, source, **changes):
    return check_view(weather_view(view=name, **LOOKUP, **changes), entity=ORIGIN, source=source)


VIEWS = {
    "windows": check_view(
        delays_view(view="windows", features=WINDOWS), entity=ORIGIN, source=LANDINGS
    ),
    "timely": check_view(
        delays_view(view="timely", features=WINDOWS), entity=ORIGIN, source=TIMELY
    ),
    "recorded": looked_up("recorded", LANDINGS),
    "short": looked_up("short", LANDINGS, ttl="5s"),
    "every": looked_up("every", TIMELY, arrival=None, every="3s", ttl="8s"),
    "timeless": looked_up("timeless", TIMELESS, arrival=None, every="1d"),
}
FEATURES = [
    (f"@{name}.{feature}[origin]", name, feature, "origin")
    for name, view in VIEWS.items()
    for feature in view.types
]

keys = st.sampled_from(["a", "b", None])
seconds = st.integers(0, 60).map(lambda second: second * SECOND_US)
near = st.sampled_from([9, 10, 11, 20, 21]).map(lambda second: second * SECOND_US)
times = st.none() | seconds | near
delays = st.sampled_from([0.0, -0.0, 1.5, -7.25, 1 / 3, None])
spine_rows = st.lists(st.tuples(keys, times, st.sampled_from([1.0, -1.0, None])), max_size=6)
landings = st.lists(
    st.tuples(st.integers(0, 9), keys, times, st.sampled_from([0, 0, 2, 9]), delays), max_size=6
)
additions = st.lists(
    st.tuples(spine_rows, st.dictionaries(st.sampled_from(sorted(VIEWS)), landings, max_size=3)),
    min_size=2,
    max_size=4,
)


@pytest.fixture(scope="module")
def engine():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()


def spine_file(rows):
    fields = list(zip(*rows, strict=True)) if rows else [[]] * 3
    types = [pa.string(), TIME, pa.float64()]
    return pa.table(
        [pa.array(list(each), kind) for each, kind in zip(fields, types, strict=True)],
        names=list(SPINE),
    )


def landings_file(rows):
    return rows_table(
        LANDINGS,
        [
            {
                "flight": flight,
                "origin": key,
                "landed_at": at,
                "recorded_at": None if at is None else at + late * SECOND_US,
                "delay": delay,
            }
            for flight, key, at, late, delay in rows
        ],
    )


class Desk:
    """One ledger and one blob store; snapshots are lists of tables."""

    def __init__(self, engine):
        self.engine = engine
        self.blobs = MemoryBlobs()
        self.ledger = Ledger.open("sqlite://", clock=ManualClock(0))

    def close(self):
        self.ledger.close()
        self.blobs.close()

    def snapshot(self, tables):
        files = tuple(write_file(table, blobs=self.blobs) for table in tables)
        kept = Snapshot(
            columns=stored_types(tables[0]), files=files, rows=sum(file.rows for file in files)
        )
        self.ledger.put("snapshot", kept.id, manifest(kept))
        return kept

    def rows(self, spine, sources, *, remember, piece_bytes=1 << 28):
        views = {}
        for name, tables in sources.items():
            snapshot = self.snapshot(tables)
            views[name] = (VIEWS[name], self._table(snapshot, remember), snapshot.id)
        snapshot = self.snapshot(spine)
        pieces = joined_rows(
            self._table(snapshot, remember),
            snapshot=snapshot.id,
            recipe=JoinRecipe(
                time="at",
                columns=["origin", "at"],
                labels={"label": check(parse("y > 0"), SPINE)},
                view_features=[each for each in FEATURES if each[1] in views],
                views=views,
            ),
            piece_bytes=piece_bytes,
            engine=self.engine,
            blobs=self.blobs,
            ledger=self.ledger,
        )
        return pa.concat_tables(pieces)

    def _table(self, snapshot, remember):
        files = snapshot_table(snapshot, blobs=self.blobs)
        # A table in memory is no list of files: it is joined in one go.
        return files if remember else self.engine.scan(files)


def with_bits(table):
    return [
        {name: v.hex() if isinstance(v, float) else v for name, v in row.items()}
        for row in table.to_pylist()
    ]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(added=additions, piece_bytes=st.sampled_from([700, 1 << 28]))
def test_remembered_rows_equal_a_join_in_one_go(engine, added, piece_bytes):
    desk = Desk(engine)
    spine, sources = [], {name: [landings_file([])] for name in VIEWS}
    for rows, events in added:
        spine.append(spine_file(rows))
        for name, each in events.items():
            sources[name].append(landings_file(each))
        remembered = desk.rows(spine, sources, remember=True, piece_bytes=piece_bytes)
        at_once = desk.rows(spine, sources, remember=False)
        assert remembered.column_names == at_once.column_names
        assert with_bits(remembered) == with_bits(at_once)
    desk.close()
