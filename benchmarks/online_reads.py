"""Reads of view features beside a bare LMDB read of the same bytes, in one process.

Times are of the processor, the least of many rounds, so that other work on the machine counts
less. Run: python benchmarks/online_reads.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from table import tell
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.language.tree import Column, WindowCall
from tondo.scoring.keys import event_digest, oldest_first
from tondo.scoring.layout import EventSlot, ViewLayout
from tondo.scoring.online import event_key, lookup_key, lookup_range, pack_event, pack_lookup
from tondo.scoring.reader import FeatureReader
from tondo.scoring.tiles import levels_of
from tondo.stages.features.tiled import TiledEvents

Call = Callable[[], object]
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
DELAY = Column("delay", "double")
WEATHER = ViewLayout(
    view="weather",
    version="00000001",
    kind="lookup",
    entity="origin",
    key="origin",
    key_type="string",
    features=dict.fromkeys("abcde", "double"),
    freshness_us=HOUR_US,
)
DELAYS = ViewLayout(
    view="delays",
    version="00000002",
    kind="window",
    entity="origin",
    key="origin",
    key_type="string",
    features={"mean": "double", "landed": "double", "spread": "double"},
    windows={
        "mean": WindowCall("avg", DELAY, 3 * HOUR_US),
        "landed": WindowCall("count", None, 3 * HOUR_US),
        "spread": WindowCall("stddev", DELAY, 3 * HOUR_US),
    },
    slots={"s0": EventSlot(kind="sum", type="double")},
    slot_of={"mean": "s0", "spread": "s0"},
    freshness_us=HOUR_US,
)
WEEK = 168 * HOUR_US
TILED = ViewLayout(
    view="week",
    version="00000003",
    kind="window",
    entity="origin",
    key="origin",
    key_type="string",
    features={"mean": "double", "landed": "double"},
    windows={
        "mean": WindowCall("avg", DELAY, WEEK, tile_us=HOUR_US),
        "landed": WindowCall("count", None, WEEK, tile_us=HOUR_US),
    },
    slots={"s0": EventSlot(kind="sum", type="double")},
    slot_of={"mean": "s0"},
    levels_us=levels_of(WindowCall("avg", DELAY, WEEK, tile_us=HOUR_US)),
    freshness_us=HOUR_US,
)
NOW_US = 24 * HOUR_US
LATER_US = 8 * 24 * HOUR_US - 29 * MINUTE_US
"""Half past an hour: five whole tiles of 5 minutes and an open one."""


def fill(store: LmdbStore) -> None:
    origins = ["EWR", "JFK", "LGA"]
    values = dict(zip("abcde", (1.5, None, 3.25, 4.0, 5.0), strict=True))
    store.put_many(
        (lookup_key(WEATHER, origin, hour * HOUR_US), pack_lookup(WEATHER, hour * HOUR_US, values))
        for origin in origins
        for hour in range(24)
    )
    store.put_many(
        (
            event_key(DELAYS, origin, minute * HOUR_US // 20, str(minute)),
            pack_event(DELAYS, {"s0": (minute % 37 - 9) << 20}),
        )
        for origin in origins
        for minute in range(480)
    )  # one event in three minutes: 60 in three hours


def fill_tiles(store: LmdbStore) -> None:
    """Push an event a minute for 8 days to a view of a week in tiles of an hour."""
    tiled = TiledEvents(TILED)
    minutes = 8 * 24 * 60
    events = [
        ("JFK", minute * MINUTE_US, None, event_digest(str(minute)), [(minute % 37 - 9) << 20])
        for minute in range(minutes)
    ]
    tiled.put([tiled.event(*event) for event in events], online=store)


def least_us(call: Call, repeats: int = 50, rounds: int = 200) -> float:
    """Return the least mean of many short rounds: what the call takes when it is left alone."""
    call()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(repeats):
            call()
        times.append(time.process_time() - began)
    return min(times) / repeats * 1e6


def one_request(store: LmdbStore) -> list[tuple[str, Call, Call]]:
    reader = FeatureReader(store, {"weather": WEATHER, "delays": DELAYS, "week": TILED})
    five = [(f"@weather.{name}[origin]", "weather", name, "origin") for name in "abcde"]
    window = [(f"@delays.{n}[origin]", "delays", n, "origin") for n in ("mean", "landed")]
    spread = [("@delays.spread[origin]", "delays", "spread", "origin")]
    tiled = [(f"@week.{n}[origin]", "week", n, "origin") for n in ("mean", "landed")]
    start, stop = lookup_range(WEATHER, "JFK", NOW_US)
    first = store.scan(start, stop)[0][0]
    stem = event_key(DELAYS, "JFK", 0, "")[:-16]
    events = (stem + oldest_first(NOW_US - 3 * HOUR_US), stem + oldest_first(NOW_US), 0)
    assert 55 <= len(store.scan(*events[:2])) <= 65
    week = reader.plan(tiled).hops[0].views[0]
    stem = week.keys.stem("JFK")
    blocks = [(stem + a, stem + b, n) for a, b, n in week.reader.reach(LATER_US).tails]

    def fetch(needed, now_us=NOW_US):
        plan = reader.plan(needed)
        return lambda: reader.fetch([{"origin": "JFK"}], plan, now_us)

    def both():
        store.get_many([first])
        store.scan_many([events])

    def get():
        return store.get_many([first])

    def scan():
        return store.scan_many([events])

    return [
        ("1 lookup view, 5 features", fetch(five), get),
        ("1 window view, avg and count over 60 events", fetch(window), scan),
        ("the same with stddev", fetch(window + spread), scan),
        ("both views in one request", fetch(five + window), both),
        (
            "avg over 7 d tiles 1 h, 10,111 events",
            fetch(tiled[:1], LATER_US),
            lambda: store.scan_many(blocks),
        ),
        (
            "the window alone, no request around it",
            lambda: week.reader.read(week.reader.reach(LATER_US), store.scan_many(blocks)),
            lambda: store.scan_many(blocks),
        ),
        ("avg and count of it", fetch(tiled, LATER_US), lambda: store.scan_many(blocks)),
    ]


def many_views(store: LmdbStore) -> list[tuple[str, Call, Call]]:
    """Read 3 lookup views of 5 features each, of one entity and of 50."""
    layouts = {f"view{place}": replace(WEATHER, view=f"view{place}") for place in range(3)}
    origins = [f"origin-{place}" for place in range(50)]
    values = dict(zip("abcde", (1.5, None, 3.25, 4.0, 5.0), strict=True))
    store.put_many(
        (lookup_key(each, origin, hour * HOUR_US), pack_lookup(each, hour * HOUR_US, values))
        for each in layouts.values()
        for origin in origins
        for hour in range(24)
    )
    reader = FeatureReader(store, layouts)
    plan = reader.plan(
        [(f"@{v}.{name}[origin]", v, name, "origin") for v in layouts for name in "abcde"]
    )

    def fetch(keys):
        return lambda: reader.fetch([{"origin": key} for key in keys], plan, NOW_US)

    def bare(keys):
        ranges = [(*lookup_range(v, key, NOW_US), 1) for v in layouts.values() for key in keys]
        return lambda: store.scan_many(ranges)

    return [
        ("3 lookup views, 15 features, 1 entity", fetch(origins[:1]), bare(origins[:1])),
        ("the same of 50 entities in one call", fetch(origins), bare(origins)),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = LmdbStore(Path(folder) / "online")
        fill(store)
        fill_tiles(store)
        rows = []
        for name, call, bare in [*one_request(store), *many_views(store)]:
            micros, floor = least_us(call), least_us(bare)
            rows.append([name, f"{micros:.2f}", f"{floor:.2f}", f"{micros / floor:.2f}"])
        tell(["what", "tondo, us of CPU", "bare LMDB read, us", "ratio"], rows)
        store.close()


if __name__ == "__main__":
    main()
