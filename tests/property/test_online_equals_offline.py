"""What is read online at an as-of time is what a training set holds for it, bit for bit.

A stream of events is pushed in the order of recording, in random batches, with repeats; after
each push a read is made at that moment. The engine then joins the same moments from the complete
table of events, which by then holds later ones too. The same reads are repeated at the end.
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
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.adapters.online.memory.store import MemoryStore
from tondo.stages.features.joins import join_views
from tondo.stages.features.materialise import read_online
from tondo.stages.features.push import PushWriter
from tondo.stages.features.views import check_view

SECOND_US = 1_000_000
LOOKUP = {
    "source": "landings",
    "features": {"delay": "delay", "late": "delay > 15", "flight": "flight", "at": "landed_at"},
}
VIEWS = {
    "windows": check_view(delays_view(), entity=ORIGIN, source=LANDINGS),
    "lookups": check_view(weather_view(**LOOKUP), entity=ORIGIN, source=LANDINGS),
    "ttl": check_view(weather_view(**LOOKUP, ttl="40s"), entity=ORIGIN, source=LANDINGS),
}
# Without a recorded time a row counts from its event time, so it must be pushed by then.
TIMELY = msgspec.structs.replace(LANDINGS, recorded_at=None)
VIEWS |= {
    "timely windows": check_view(delays_view(), entity=ORIGIN, source=TIMELY),
    "timely lookups": check_view(weather_view(**LOOKUP), entity=ORIGIN, source=TIMELY),
    "every 30 s": check_view(
        weather_view(**LOOKUP, arrival=None, every="30s"), entity=ORIGIN, source=TIMELY
    ),
}
for name in ("windows", "timely windows"):
    small = {
        "mean": "avg(delay) over 30s",
        "n": "count(*) over 10s",
        "sd": "stddev(delay) over 30s",
        "total": "sum(delay) over 10s",
        "first": "first(delay) over 30s",
        "last": "last(delay) over 30s",
        "least": "min(delay) over 30s",
        "nd": "count(delay) over 30s",
        "fl": "last(flight) over 10s",
        "kept": "last_k(delay, 3) over 30s",
        "flights": "last_k(flight, 2) over 10s",
        "kinds": "count_distinct(delay) over 30s",
        "about": "approx_count_distinct(delay) over 30s",
        "share": "ratio(delay, delay + 9.0) over 30s",
        "tiled": "avg(delay) over 30s tiles 8s",
        "tiled_n": "count(*) over 10s tiles 10s",
        "tiled_sd": "stddev(delay) over 30s tiles 10s",
        "tiled_least": "min(delay) over 10s tiles 10s",
        "tiled_kept": "last_k(delay, 2) over 30s tiles 5s",
        "tiled_about": "approx_count_distinct(flight) over 30s tiles 5s",
    }
    VIEWS[name] = check_view(
        delays_view(features=small), entity=ORIGIN, source=LANDINGS if name == "windows" else TIMELY
    )
TILED = {
    "mean": "avg(delay) over 3d tiles 1h",
    "n": "count(*) over 2d tiles 4m",
    "known": "count(delay) over 5d tiles 12h",
    "sd": "stddev(delay) over 40h tiles 1d",
    "share": "ratio(delay, delay + 9.0) over 2d tiles 1h",
    "least": "min(delay) over 3d tiles 1h",
    "exact": "sum(delay) over 1d",
}
# Units of two hours: a window of many tiles, and events on, before and after their boundaries.
UNIT_US = {"tiled": 7200 * SECOND_US, "timely tiled": 7200 * SECOND_US}
for name in UNIT_US:
    VIEWS[name] = check_view(
        delays_view(features=TILED), entity=ORIGIN, source=LANDINGS if name == "tiled" else TIMELY
    )


@pytest.fixture(scope="module")
def engine():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()


@st.composite
def streams(draw, *, recorded, unit_us):
    """Events in the order in which they become known, some long after they happened."""
    events = []
    for flight in range(draw(st.integers(0, 20))):
        happened = draw(st.integers(0, 60)) * unit_us
        if unit_us > SECOND_US:
            happened += draw(st.sampled_from([0, 0, -1, 1, 250 * SECOND_US]))
        late = draw(st.sampled_from([0, 0, 0, 1, 7, 25])) * unit_us if recorded else 0
        events.append(
            {
                "flight": flight,
                "origin": draw(st.sampled_from(["JFK", "LGA"])),
                "landed_at": happened,
                "recorded_at": happened + late,
                "delay": draw(
                    st.sampled_from([None, 0.0, -0.0, 1 / 3, 15.5, -7.25, 1e-8, 2.0**31])
                ),
            }
        )
    return sorted(events, key=lambda event: event["recorded_at"])


def bits(row):
    return {name: _bits(value) for name, value in row.items()}


def _bits(value):
    if isinstance(value, list):
        return [_bits(each) for each in value]
    return value.hex() if isinstance(value, float) else value


def offline(view, engine, events, moments):
    spine = pa.table(
        {
            "origin": [key for key, _ in moments],
            "t": pa.array([at for _, at in moments], TIME),
        }
    )
    features = [(name, view.name, name, "origin") for name in view.types]
    table = rows_table(LANDINGS, events)
    joined = join_views(
        spine, time="t", view_features=features, views={view.name: (view, table)}, engine=engine
    )
    rows = []
    for row in joined.to_pylist():
        del row["t"]
        if isinstance(row.get("at"), object) and row.get("at") is not None:
            row["at"] = int(row["at"].timestamp() * 1e6)
        rows.append(bits(row))
    return rows


@pytest.mark.parametrize("name", VIEWS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_online_equals_offline(engine, name, data):
    view = VIEWS[name]
    unit_us = UNIT_US.get(name, SECOND_US)
    events = data.draw(streams(recorded=view.recorded_at is not None, unit_us=unit_us))
    online, clock = MemoryStore(), ManualClock(0)
    moments, seen = [], []
    with PushWriter(view, online=online, eventlog=MemoryEventLog(), clock=clock) as writer:
        begun = 0
        for now in range(0, 90 * unit_us, 5 * unit_us):
            due = [each for each in events[begun:] if each["recorded_at"] <= now]
            repeats = (
                data.draw(st.lists(st.sampled_from(events[:begun]), max_size=2)) if begun else []
            )
            writer.push(data.draw(st.permutations([*due, *repeats])))
            begun += len(due)
            for key in ("JFK", "LGA", "EWR"):
                moments.append((key, now))
                seen.append(bits(read_online(view, [key], now, online=online)[0]))
    assert seen == offline(view, engine, events, moments)
    later = [bits(read_online(view, [key], at, online=online)[0]) for key, at in moments]
    assert later == seen
