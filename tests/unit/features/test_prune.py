"""Pruning deletes what no read within the retention needs, and refuses what lies before it."""

import random

import msgspec
import pytest

from airport import HOUR_US, LANDINGS, ORIGIN, WEATHER, delays_view, rows_table, weather_view
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import CallerError, DefinitionError
from tondo.stages.features.materialise import materialise, read_online
from tondo.stages.features.prune import prune
from tondo.stages.features.push import PushWriter, stream_of
from tondo.stages.features.views import check_view

TIMELY = msgspec.structs.replace(LANDINGS, recorded_at=None)
SUMS = {
    "mean": "avg(delay) over 2d tiles 1h",
    "n": "count(*) over 20d tiles 5m",
    "share": "ratio(delay, delay + 9.0) over 1d tiles 6h",
}
EXACT = {
    "mean": "avg(delay) over 6h",
    "least": "min(delay) over 1d",
    "kept": "last_k(delay, 3) over 2d",
}


def windows(features, source, **changes):
    return check_view(
        delays_view(features=features, retention="2d", **changes), entity=ORIGIN, source=source
    )


VIEWS = {
    "events": windows(EXACT, LANDINGS),
    "events, known at once": windows(EXACT, TIMELY),
    "tiles": windows(SUMS, LANDINGS),
    "tiles, known at once": windows(SUMS, TIMELY),
    "both": windows(EXACT | SUMS, TIMELY),
    "rows": check_view(weather_view(retention="2d"), entity=ORIGIN, source=WEATHER),
    "rows known late": check_view(
        weather_view(source="landings", features={"delay": "delay"}, retention="2d"),
        entity=ORIGIN,
        source=LANDINGS,
    ),
    "rows every 3 h": check_view(
        weather_view(arrival=None, every="3h", retention="2d"), entity=ORIGIN, source=WEATHER
    ),
}


def event(view, place, dice, hours):
    at = int(dice.uniform(0, hours) * HOUR_US)
    origin = dice.choice(["JFK", "LGA"])
    if view.source == "weather":
        return {"origin": origin, "hour": at, "wind": float(place), "sky": "x"}
    late = dice.choice([0, 0, 0, 3, 60]) if view.recorded_at else 0
    return {
        "flight": place,
        "origin": origin,
        "landed_at": at,
        "recorded_at": at + late * HOUR_US,
        "delay": dice.choice([None, 1.5, -2.25, float(place)]),
    }


@pytest.fixture
def open_writer(online, eventlog, clock):
    def opened(view):
        return PushWriter(view, online=online, eventlog=eventlog, clock=clock)

    return opened


@pytest.mark.parametrize("name", VIEWS)
def test_every_read_within_the_retention_is_what_it_was(name, online, clock, open_writer):
    view, dice = VIEWS[name], random.Random(name)
    with open_writer(view) as writer:
        writer.push([event(view, place, dice, 50 * 24) for place in range(400)])
        clock.set_us(50 * 24 * HOUR_US)
        horizon = 48 * 24 * HOUR_US
        moments = [
            horizon,
            horizon + 1,
            *(horizon + dice.randrange(72 * HOUR_US) for _ in range(40)),
        ]

        def reads():
            keys = ["JFK", "LGA", "EWR"]
            return [read_online(view, keys, at, online=online) for at in moments]

        before = reads()
        planned = prune(view, online=online, clock=clock, plan=True)
        done = prune(view, online=online, clock=clock)
        assert planned == done
        assert done.rows > 100
        assert reads() == before
        again = prune(view, online=online, clock=clock)
        assert (again.rows, again.blocks, again.marks, again.kept) == (0, 0, 0, done.kept)
        with pytest.raises(CallerError, match="TD-ONLINE-021"):
            read_online(view, ["JFK"], horizon - 1, online=online)


@pytest.mark.parametrize("name", ["tiles, known at once", "both", "events"])
def test_events_that_come_after_a_pruning_count_as_if_there_had_been_none(
    name, clock, eventlog, online, open_writer
):
    from tondo.adapters.eventlog.memory.log import MemoryEventLog
    from tondo.adapters.online.memory.store import MemoryStore

    view, dice = VIEWS[name], random.Random(name)
    first = [event(view, place, dice, 50 * 24) for place in range(300)]
    later = [event(view, place, dice, 52 * 24) for place in range(300, 500)]
    clock.set_us(50 * 24 * HOUR_US)
    unpruned = MemoryStore()
    with (
        open_writer(view) as writer,
        PushWriter(view, online=unpruned, eventlog=MemoryEventLog(), clock=clock) as other,
    ):
        for batch, store in ((first, writer), (first, other)):
            store.push(batch)
        prune(view, online=online, clock=clock)
        receipt = writer.push([*later, *first])
        other.push([*later, *first])
    assert receipt.dropped > 0
    logged = [
        row
        for _, frame in eventlog.read(stream_of(view))
        for row in msgspec.msgpack.decode(frame)[2]
    ]
    assert {row[0] for row in logged} == {f"[{place}]" for place in range(500)}
    assert receipt.accepted + receipt.repeated + receipt.dropped == 500
    assert prune(view, online=online, clock=clock).dropped == receipt.dropped
    for _ in range(40):
        at = 48 * 24 * HOUR_US + dice.randrange(120 * HOUR_US)
        keys = ["JFK", "LGA"]
        found = read_online(view, keys, at, online=online)
        assert found == read_online(view, keys, at, online=unpruned)


def test_the_row_that_answers_stays_however_old_it_is(online, clock, open_writer):
    view = VIEWS["rows"]
    rows = [
        {"origin": "JFK", "hour": hour * HOUR_US, "wind": float(hour), "sky": "x"}
        for hour in (1, 2)
    ]
    with open_writer(view) as writer:
        writer.push(rows)
    clock.set_us(1000 * 24 * HOUR_US)
    done = prune(view, online=online, clock=clock)
    assert (done.rows, done.kept) == (1, 1)
    assert read_online(view, ["JFK"], clock.now_us(), online=online)[0]["wind"] == 2.0


def test_loaded_rows_are_pruned_like_pushed_ones(engine, online, ledger, clock):
    view = VIEWS["rows"]
    rows = [
        {"origin": "JFK", "hour": hour * HOUR_US, "wind": float(hour), "sky": "x"}
        for hour in (1001, 1009)
    ]
    for until in (1002, 1010):
        materialise(
            view,
            rows_table(WEATHER, rows),
            engine=engine,
            online=online,
            ledger=ledger,
            clock=clock,
            until_us=until * HOUR_US,
        )
    clock.set_us(1100 * HOUR_US)
    assert prune(view, online=online, clock=clock).rows == 1
    assert read_online(view, ["JFK"], 1052 * HOUR_US, online=online)[0]["wind"] == 1009.0


def test_a_horizon_never_goes_back(online, clock, open_writer):
    view = VIEWS["tiles"]
    clock.set_us(90 * 24 * HOUR_US)
    first = prune(view, online=online, clock=clock)
    behind = ManualClock(80 * 24 * HOUR_US)
    assert prune(view, online=online, clock=behind).horizon_us == first.horizon_us


def test_a_view_without_retention_is_never_pruned(online, clock):
    view = check_view(weather_view(), entity=ORIGIN, source=WEATHER)
    with pytest.raises(DefinitionError, match=r"TD-FEATURE-021.*'weather'"):
        prune(view, online=online, clock=clock)


def test_a_retention_that_is_no_duration_is_refused():
    with pytest.raises(DefinitionError, match="TD-CORE-002"):
        check_view(weather_view(retention="long"), entity=ORIGIN, source=WEATHER)
