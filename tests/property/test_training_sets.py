"""Training sets against a plain loop over random histories, and the same when the future changes.

Several views at once: lookups as known, with a ttl, with a cadence; windows exact and tiled; a key
that is another view's feature. Ties in event time and in recorded time, late rows, rows without
time or key, keys that no view knows.
"""

import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from airport import LANDINGS, ORIGIN, TIME, WEATHER, delays_view, rows_table, weather_view
from tondo.adapters.blobs.memory.blobs import MemoryBlobs
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.engines.duckdb.engine import DuckDBEngine
from tondo.ledger.ledger import Ledger
from tondo.scoring.online import content_order
from tondo.stages.features.resolve import resolve_features
from tondo.stages.features.training_set import build_training_set, training_table
from tondo.stages.features.views import check_view

SECOND_US = 1_000_000
TTL, EVERY, WINDOW, TILE = (each * SECOND_US for each in (3, 6, 10, 4))
SPINE = {"id": "id", "origin": "string", "at": "timestamp"}
LOOKUP = {"source": "landings", "features": {"delay": "delay", "flight": "flight"}}
COUNTS = {
    "n": "count(*) over 10s",
    "total": "sum(delay) over 10s",
    "least": "min(delay) over 10s",
    "tiled": "count(*) over 10s tiles 4s",
    "tiled_total": "sum(delay) over 10s tiles 4s",
}


def looked_up(name, **changes):
    return check_view(weather_view(view=name, **LOOKUP, **changes), entity=ORIGIN, source=LANDINGS)


VIEWS = {
    "known": looked_up("known"),
    "short": looked_up("short", ttl="3s"),
    "every": looked_up("every", arrival=None, every="6s"),
    "counts": check_view(
        delays_view(view="counts", features=COUNTS), entity=ORIGIN, source=LANDINGS
    ),
    "sky": check_view(
        weather_view(view="sky", features={"sky": "sky"}), entity=ORIGIN, source=WEATHER
    ),
}
FEATURES = {
    f"{view}_{name}": f"@{view}.{name}"
    for view in ("known", "short", "every", "counts")
    for name in VIEWS[view].types
} | {"there": "@known.delay[@sky.sky]", "counted": "@counts.n[@sky.sky]"}
RESOLVED = resolve_features(FEATURES, columns=SPINE, views=VIEWS, known_at={}, time="at")

# Dense, so that most rows of a spine find something: ties and edges are met in nearly every example.
keys = st.sampled_from(["a", "a", "b", "b", None])
seconds = st.integers(0, 20).map(lambda second: second * SECOND_US)
times = st.sampled_from(range(-1, 21)).map(lambda at: None if at < 0 else at * SECOND_US)
delays = st.sampled_from([0.0, 1.5, -7.25, 3.0, None])
landings = st.lists(
    st.tuples(st.integers(0, 9), keys, times, st.sampled_from([0, 0, 2, 9, -3]), delays),
    min_size=12,
    max_size=20,
)
skies = st.lists(
    st.tuples(keys, times, st.sampled_from(["a", "b", "c", None])), min_size=3, max_size=6
)
spines = st.lists(
    st.tuples(st.sampled_from(["a", "a", "b", "b", "nowhere", None]), times),
    min_size=8,
    max_size=16,
)


@pytest.fixture(scope="module")
def engine():
    opened = DuckDBEngine(threads=2)
    yield opened
    opened.close()


def events_of(drawn):
    """Landings as rows; some are recorded before they happen, as clocks that differ have it."""
    return [
        {
            "flight": flight,
            "origin": key,
            "landed_at": at,
            "recorded_at": None if at is None else at + late * SECOND_US,
            "delay": delay,
        }
        for flight, key, at, late, delay in drawn
    ]


def built(engine, spine, events, weather, piece_bytes=1 << 28):
    ledger, blobs = Ledger.open("sqlite://", clock=ManualClock(0)), MemoryBlobs()
    for snapshot in ("spine", "l", "w"):
        ledger.put("snapshot", snapshot, {})
    tables = {"landings": (rows_table(LANDINGS, events), "l")}
    tables["weather"] = (
        rows_table(
            WEATHER,
            [{"origin": key, "hour": at, "wind": 0.0, "sky": sky} for key, at, sky in weather],
        ),
        "w",
    )
    made = build_training_set(
        name="all",
        spine=pa.table(
            {
                "id": pa.array(range(len(spine)), pa.int64()),
                "origin": pa.array([key for key, _ in spine], pa.string()),
                "at": pa.array([at for _, at in spine], TIME),
            }
        ),
        spine_snapshot="spine",
        time="at",
        row_id="id",
        resolved=RESOLVED,
        views={name: (view, *tables[view.source]) for name, view in VIEWS.items()},
        label=None,
        piece_bytes=piece_bytes,
        engine=engine,
        blobs=blobs,
        ledger=ledger,
    )
    rows = engine.scan(training_table(made, blobs=blobs)).to_pylist()
    assert made.spine_rows == made.rows == len(spine)
    ledger.close()
    blobs.close()
    return rows


def seen_of(events, key, seen):
    """What was recorded of a key, and had happened, at an instant."""
    if key is None or seen is None:
        return []
    return [
        each
        for each in events
        if each["origin"] == key
        and each["landed_at"] is not None
        and max(each["landed_at"], each["recorded_at"]) <= seen
    ]


def newest(events, key, at, *, ttl=None, every=None):
    seen = at if at is None or every is None else at - at % every
    known = seen_of(events, key, seen)
    if not known:
        return {"delay": None, "flight": None}
    best = max(
        known,
        key=lambda e: (
            e["landed_at"],
            e["recorded_at"],
            content_order([e["delay"], e["flight"]]),
        ),
    )
    if ttl is not None and at - best["landed_at"] > ttl:
        return {"delay": None, "flight": None}
    return {"delay": best["delay"], "flight": best["flight"]}


def counted(events, key, at):
    if key is None or at is None:
        return dict.fromkeys(COUNTS)
    since = at - WINDOW
    found = {}
    for begin, names in (
        (since, ("n", "total", "least")),
        (since - since % TILE, ("tiled", "tiled_total")),
    ):
        rows = [e for e in seen_of(events, key, at) if begin <= e["landed_at"] < at]
        known = [e["delay"] for e in rows if e["delay"] is not None]
        values = (len(rows), sum(known) if known else None, min(known, default=None))
        found |= dict(zip(names, values, strict=False))
    return found


def slow(spine, events, weather):
    expected = []
    for place, (key, at) in enumerate(spine):
        skies = [
            (hour, content_order([sky]), sky)
            for origin, hour, sky in weather
            if key is not None and origin == key
            if hour is not None and at is not None and hour <= at
        ]
        sky = max(skies, key=lambda each: each[:2])[2] if skies else None
        row = {"id": place, "@sky.sky[origin]": sky}
        ways = {"known": {}, "short": {"ttl": TTL}, "every": {"every": EVERY}}
        for view, how in ways.items():
            for name, value in newest(events, key, at, **how).items():
                row[f"@{view}.{name}[origin]"] = value
        row |= {f"@counts.{name}[origin]": v for name, v in counted(events, key, at).items()}
        row["@known.delay[@sky.sky]"] = newest(events, sky, at)["delay"]
        row["@counts.n[@sky.sky]"] = counted(events, sky, at)["n"]
        expected.append(row)
    return expected


quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(spine=spines, drawn=landings, weather=skies, piece_bytes=st.sampled_from([1000, 1 << 28]))
def test_training_sets_equal_the_plain_loop(engine, spine, drawn, weather, piece_bytes):
    events = events_of(drawn)
    rows = built(engine, spine, events, weather, piece_bytes)
    assert Counter(row["id"] for row in rows) == Counter(range(len(spine)))
    for row, wanted in zip(rows, slow(spine, events, weather), strict=True):
        assert {name: row[name] for name in wanted} == wanted
        assert [row["origin"]] == [spine[row["id"]][0]]


@quick
@given(
    spine=spines,
    drawn=landings,
    weather=skies,
    now=seconds,
    others=st.lists(st.tuples(keys, delays), min_size=20, max_size=20),
)
def test_nothing_that_comes_later_changes_a_row(engine, spine, drawn, weather, now, others):
    events = events_of(drawn)
    changed = [
        {**event, "origin": key, "delay": delay, "flight": 99}
        if event["landed_at"] is not None and max(event["landed_at"], event["recorded_at"]) > now
        else event
        for event, (key, delay) in zip(events, others, strict=False)
    ]
    other_sky = [(key, at, "b" if at is not None and at > now else sky) for key, at, sky in weather]
    before = built(engine, spine, events, weather)
    after = built(engine, spine, changed, other_sky)
    early = [place for place, (_, at) in enumerate(spine) if at is not None and at <= now]
    assert [before[place] for place in early] == [after[place] for place in early]
