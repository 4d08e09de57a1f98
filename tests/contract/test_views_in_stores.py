"""Views with tiles and with a retention are the same in every online store: reads and pruning."""

import itertools
import random
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from airport import HOUR_US, LANDINGS, ORIGIN, delays_view, weather_view
from redis_process import SERVER, WHY_NOT, running_redis
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.adapters.online.memory.store import MemoryStore
from tondo.adapters.online.redis.store import RedisStore
from tondo.stages.features.materialise import read_online
from tondo.stages.features.prune import prune
from tondo.stages.features.push import PushWriter
from tondo.stages.features.views import check_view

NAMES = itertools.count()
DAY_US = 24 * HOUR_US
TILES = {
    "mean": "avg(delay) over 2d tiles 1h",
    "sd": "stddev(delay) over 3d tiles 12h",
    "n": "count(*) over 20d tiles 5m",
    "share": "ratio(delay, delay + 9.0) over 1d tiles 6h",
    "last": "last(delay) over 6h",
}
VIEWS = {
    "windows": check_view(
        delays_view(features=TILES, retention="2d"), entity=ORIGIN, source=LANDINGS
    ),
    "rows": check_view(
        weather_view(source="landings", features={"delay": "delay"}, retention="2d"),
        entity=ORIGIN,
        source=LANDINGS,
    ),
}
KEYS = ["JFK", "LGA", "EWR"]


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    if SERVER is None:
        pytest.skip(WHY_NOT)
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["lmdb", "redis"])
def store(request, tmp_path):
    if request.param == "redis":
        address = request.getfixturevalue("redis").address
        opened = RedisStore(f"{address}?namespace=v{next(NAMES)}")
    else:
        opened = LmdbStore(tmp_path / "online")
    yield opened
    opened.close()


def landings(count, *, seed, hours):
    dice = random.Random(seed)
    made = []
    for flight in range(count):
        at = int(dice.uniform(0, hours) * HOUR_US)
        made.append(
            {
                "event_id": f"{seed}-{flight}",
                "flight": flight,
                "origin": dice.choice(KEYS[:2]),
                "landed_at": at,
                "recorded_at": at + dice.choice([0, 0, 0, 3, 60]) * HOUR_US,
                "delay": dice.choice([None, 1.5, -2.25, float(flight), 2.0**31]),
            }
        )
    return made


def seen(view, store, moments):
    return [read_online(view, KEYS, at, online=store) for at in moments]


class Side:
    """One store with a writer of a view."""

    def __init__(self, view, store, now_us):
        self.view, self.store = view, store
        self.clock = ManualClock(now_us)
        self.writer = PushWriter(view, online=store, eventlog=MemoryEventLog(), clock=self.clock)


@pytest.mark.parametrize("name", VIEWS)
def test_reads_and_pruning_are_those_of_the_store_in_memory(store, name):
    view, now_us = VIEWS[name], 30 * DAY_US
    sides = [Side(view, MemoryStore(), now_us), Side(view, store, now_us)]
    events = landings(400, seed=1, hours=30 * 24)
    for start in range(0, 400, 80):
        # Each push repeats some of the one before.
        batch = events[max(start - 20, 0) : start + 80]
        receipts = [side.writer.push(batch) for side in sides]
        assert receipts[0] == receipts[1]
    dice = random.Random(2)
    moments = [int(dice.uniform(0, 33) * DAY_US) for _ in range(60)]
    twin, ours = (seen(view, side.store, moments) for side in sides)
    assert ours == twin
    pruned = [prune(view, online=side.store, clock=side.clock) for side in sides]
    assert pruned[0] == pruned[1]
    assert len(store.scan(b"", b"\xff")) == len(sides[0].store.scan(b"", b"\xff"))
    late = [{**each, "event_id": f"late {each['event_id']}"} for each in events[:100]]
    receipts = [side.writer.push(late) for side in sides]
    assert receipts[0] == receipts[1]
    within = [now_us - int(dice.uniform(0, 48) * HOUR_US) for _ in range(60)]
    twin, ours = (seen(view, side.store, within) for side in sides)
    assert ours == twin


def test_writers_of_the_same_tiles_lose_nothing_of_each_other(store):
    view = VIEWS["windows"]
    events = landings(240, seed=3, hours=48)
    alone = Side(view, MemoryStore(), 3 * DAY_US)
    alone.writer.push(events)
    writers = [Side(view, store, 3 * DAY_US).writer for _ in range(3)]

    def push(writer, own):
        for start in range(0, len(own), 8):
            writer.push(own[start : start + 8])

    threads = [
        # Half of what each pushes another pushes too.
        threading.Thread(target=push, args=(writer, events[place * 60 : place * 60 + 120]))
        for place, writer in enumerate(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments = [hour * HOUR_US for hour in range(0, 72, 3)]
    assert seen(view, store, moments) == seen(view, alone.store, moments)
