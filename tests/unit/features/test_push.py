"""Pushed events: once each, durable first, visible at once, in any order."""

import itertools

import pytest

from airport import HOUR_US, LANDINGS, ORIGIN, WEATHER, delays_view, rows_table, weather_view
from tondo.adapters.online.memory.store import MemoryStore
from tondo.core.errors import CallerError, DataError, DefinitionError, PlatformError, TondoError
from tondo.scoring.pushed import newest_pushed_us
from tondo.stages.features.materialise import materialise, read_online
from tondo.stages.features.push import PushWriter, push, replay_pushes, stream_of
from tondo.stages.features.views import check_view, layout_of

DELAYS = check_view(delays_view(), entity=ORIGIN, source=LANDINGS)
WEATHER_VIEW = check_view(weather_view(), entity=ORIGIN, source=WEATHER)
TILED = check_view(
    delays_view(features={"mean": "avg(delay) over 7d tiles 1h", "n": "count(*) over 7d tiles 1h"}),
    entity=ORIGIN,
    source=LANDINGS,
)


def landing(flight, hour, delay=5.0, recorded=None):
    return {
        "flight": flight,
        "origin": "JFK",
        "landed_at": int(hour * HOUR_US),
        "recorded_at": int((hour if recorded is None else recorded) * HOUR_US),
        "delay": delay,
    }


def weather(hour, wind, **more):
    return {"origin": "JFK", "hour": hour * HOUR_US, "wind": wind, "sky": "clear", **more}


@pytest.fixture
def writer(online, eventlog, clock):
    with PushWriter(DELAYS, online=online, eventlog=eventlog, clock=clock) as opened:
        yield opened


def now(online, hour, view=DELAYS):
    return read_online(view, ["JFK"], int(hour * HOUR_US), online=online)[0]


def test_a_pushed_event_is_visible_strictly_after_its_time(writer, online):
    writer.push([landing(1, 10)])
    assert [now(online, hour)["landed_3h"] for hour in (10, 10.001, 13, 13.001)] == [0, 1, 1, 0]


def test_an_event_is_not_visible_before_it_was_recorded(writer, online):
    writer.push([landing(1, 10, recorded=11)])
    assert [now(online, hour)["mean_3h"] for hour in (10.5, 11)] == [None, 5.0]


def test_a_repeated_event_is_counted_and_not_applied_twice(writer, online):
    first = writer.push([landing(1, 10), landing(2, 10), landing(1, 10)])
    again = writer.push([landing(1, 10), landing(3, 11), landing(2, 12)])
    assert (first.accepted, first.repeated, again.accepted, again.repeated) == (2, 1, 1, 2)
    assert now(online, 12)["landed_3h"] == 3.0


def test_a_late_event_lands_in_its_place(writer, online):
    writer.push([landing(2, 12, delay=1.0)])
    writer.push([landing(1, 11.5, delay=9.0)])
    row = now(online, 13)
    assert (row["last_3h"], row["mean_3h"], row["worst_1h"]) == (1.0, 5.0, 1.0)


@pytest.mark.parametrize("view", [DELAYS, TILED])
def test_the_newest_pushed_time_is_told_and_never_goes_back(view, online, eventlog, clock):
    assert newest_pushed_us(layout_of(view), online) is None
    with PushWriter(view, online=online, eventlog=eventlog, clock=clock) as writer:
        for flight, hour, newest in ((1, 10, 10), (2, 8, 10), (3, 11, 11), (1, 10, 11)):
            writer.push([landing(flight, hour)])
            assert newest_pushed_us(layout_of(view), online) == newest * HOUR_US


def test_a_record_time_left_out_is_the_moment_of_the_push(writer, online, clock):
    event = landing(1, 999.5)
    del event["recorded_at"]
    clock.set_us(1000 * HOUR_US)
    writer.push([event])
    assert [now(online, hour)["landed_3h"] for hour in (999.9, 1000)] == [0.0, 1.0]


def test_an_event_id_of_its_own_counts_before_the_key(writer):
    assert (
        writer.push(
            [landing(1, 10) | {"event_id": "a"}, landing(1, 10) | {"event_id": "b"}]
        ).accepted
        == 2
    )


def test_events_are_in_the_log_before_they_are_in_the_store(eventlog, clock):
    class Full(MemoryStore):
        def put_if(self, expected, pairs, *, durable=True):
            raise PlatformError("TD-ONLINE-005", "disk full")

    with (
        PushWriter(DELAYS, online=Full(), eventlog=eventlog, clock=clock) as opened,
        pytest.raises(PlatformError),
    ):
        opened.push([landing(1, 10)])
    restored = MemoryStore()
    assert replay_pushes(DELAYS, online=restored, eventlog=eventlog) == 1
    assert now(restored, 11)["landed_3h"] == 1.0
    assert replay_pushes(DELAYS, online=restored, eventlog=eventlog) == 0


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"origin": None}, DataError, "TD-FEATURE-016.*'origin'"),
        ({"landed_at": None}, DataError, "TD-FEATURE-016.*'landed_at'"),
        ({"delay": "much"}, TondoError, "TD-LANG-008.*'delay'"),
        ({"delay": 2.0**40}, DataError, "TD-LANG-012"),
        ({"origin": 7}, TondoError, "TD-LANG-008.*'origin'"),
    ],
)
def test_a_bad_event_is_named_and_nothing_of_its_push_is_applied(
    writer, online, eventlog, change, kind, code
):
    with pytest.raises(kind, match=code):
        writer.push([landing(1, 10), landing(2, 10) | change])
    assert now(online, 11)["landed_3h"] == 0.0
    assert list(eventlog.read(stream_of(DELAYS))) == []


def test_a_missing_column_is_named_with_near_names(writer):
    event = landing(1, 10)
    event["dealy"] = event.pop("delay")
    with pytest.raises(CallerError, match=r"TD-FEATURE-016.*'delay'.*'dealy'"):
        writer.push([event])


def test_the_newest_lookup_wins_whatever_the_order_of_the_pushes(eventlog, clock):
    rows = [
        weather(9, 1.0),
        weather(10, 2.0),
        weather(10, 3.0),
        weather(10, None),
        weather(11, 4.0),
    ]
    for order in itertools.permutations(range(len(rows))):
        store = MemoryStore()
        for place in order:
            push(
                WEATHER_VIEW,
                [rows[place] | {"event_id": str(place)}],
                online=store,
                eventlog=eventlog,
                clock=clock,
            )
        found = [now(store, hour, WEATHER_VIEW)["wind"] for hour in (8, 9, 10, 11)]
        assert found == [None, 1.0, 3.0, 4.0]


def test_a_lookup_older_than_its_ttl_reads_as_null(online, eventlog, clock):
    view = check_view(weather_view(ttl="2h"), entity=ORIGIN, source=WEATHER)
    push(view, [weather(9, 1.0)], online=online, eventlog=eventlog, clock=clock)
    assert [now(online, hour, view)["wind"] for hour in (11, 11.1)] == [1.0, None]


def test_materialising_loads_what_a_read_at_that_time_needs(
    engine, online, ledger, clock, eventlog
):
    table = rows_table(LANDINGS, [landing(1, 6), landing(2, 8), landing(3, 11, recorded=12)])
    done = materialise(
        DELAYS,
        table,
        engine=engine,
        online=online,
        ledger=ledger,
        clock=clock,
        until_us=11 * HOUR_US,
    )
    assert (done.keys, done.rows, now(online, 11)["landed_3h"]) == (1, 1, 1.0)
    receipt = push(
        DELAYS,
        [landing(2, 8), landing(3, 11, recorded=12)],
        online=online,
        eventlog=eventlog,
        clock=clock,
    )
    assert (receipt.accepted, receipt.repeated) == (1, 1)


def test_materialising_twice_changes_nothing(engine, online, ledger, clock):
    table = rows_table(WEATHER, [weather(9, 1.0), weather(10, 2.0), weather(12, 3.0)])
    for _ in range(2):
        materialise(
            WEATHER_VIEW,
            table,
            engine=engine,
            online=online,
            ledger=ledger,
            clock=clock,
            until_us=11 * HOUR_US,
        )
    assert now(online, 11, WEATHER_VIEW) == {
        "origin": "JFK",
        "sky": "CLEAR",
        "wind": 2.0,
        "windy": False,
    }
    assert len(online.scan(b"weather\x00", b"weather\x01")) == 1


def test_a_view_with_a_cadence_shows_its_last_boundary(engine, online, ledger, clock):
    view = check_view(weather_view(arrival=None, every="3h"), entity=ORIGIN, source=WEATHER)
    table = rows_table(WEATHER, [weather(9, 1.0), weather(10, 2.0)])
    for hour in (9, 11, 12):
        materialise(
            view,
            table,
            engine=engine,
            online=online,
            ledger=ledger,
            clock=clock,
            until_us=hour * HOUR_US,
        )
    assert [now(online, hour, view)["wind"] for hour in (9, 11.9, 12)] == [1.0, 1.0, 2.0]


def read_tiled(online, hour):
    row = now(online, hour, TILED)
    return row["n"], row["mean"]


def tiled_writer(online, eventlog, clock):
    return PushWriter(TILED, online=online, eventlog=eventlog, clock=clock)


def test_a_repeated_event_is_added_to_its_tiles_once(online, eventlog, clock):
    with tiled_writer(online, eventlog, clock) as writer:
        writer.push([landing(1, 10), landing(1, 10), landing(2, 10.2, delay=8.0)])
        again = writer.push([landing(2, 10.2, delay=8.0), landing(3, 40, delay=2.0)])
    assert (again.accepted, again.repeated) == (1, 1)
    assert [read_tiled(online, hour) for hour in (10.1, 12, 100, 179, 209)] == [
        (1.0, 5.0),
        (2.0, 6.5),
        (3.0, 5.0),
        (1.0, 2.0),
        (0.0, None),
    ]


def test_what_was_recorded_late_is_not_seen_before_also_from_tiles(online, eventlog, clock):
    with tiled_writer(online, eventlog, clock) as writer:
        writer.push([landing(1, 10), landing(2, 10, delay=9.0, recorded=20)])
    assert [read_tiled(online, hour) for hour in (15, 20)] == [(1.0, 5.0), (2.0, 7.0)]


def test_two_writers_of_one_tile_lose_nothing(eventlog, clock):
    class Overtaken(MemoryStore):
        """Before a writer's first conditional put, another one pushes."""

        other = None

        def put_if(self, expected, pairs, *, durable=True):
            if self.other is not None:
                writer, self.other = self.other, None
                writer.push([landing(1, 10), landing(3, 10, delay=11.0)])
            return super().put_if(expected, pairs, durable=durable)

    store = Overtaken()
    with (
        tiled_writer(store, eventlog, clock) as one,
        PushWriter(TILED, online=store, eventlog=eventlog, clock=clock, writer="b") as other,
    ):
        store.other = other
        one.push([landing(1, 10), landing(2, 10, delay=8.0)])
    assert read_tiled(store, 12) == (3.0, 8.0)


def test_tiles_are_repaired_from_the_log(eventlog, clock):
    class Killed(MemoryStore):
        def put_if(self, expected, pairs, *, durable=True):
            raise KeyboardInterrupt

    with (
        tiled_writer(Killed(), eventlog, clock) as writer,
        pytest.raises(KeyboardInterrupt),
    ):
        writer.push([landing(1, 10), landing(2, 10.5, delay=9.0)])
    restored = MemoryStore()
    for applied in (2, 0):
        assert replay_pushes(TILED, online=restored, eventlog=eventlog) == applied
        assert read_tiled(restored, 12) == (2.0, 7.0)


def test_tiles_are_loaded_once_whether_materialised_or_pushed(
    engine, online, ledger, clock, eventlog
):
    rows = [landing(1, 6), landing(2, 8, delay=8.0), landing(3, 11, delay=2.0)]
    with tiled_writer(online, eventlog, clock) as writer:
        writer.push(rows[1:2])
    for _ in range(2):
        done = materialise(
            TILED,
            rows_table(LANDINGS, rows),
            engine=engine,
            online=online,
            ledger=ledger,
            clock=clock,
            until_us=12 * HOUR_US,
        )
        assert (done.keys, done.rows, read_tiled(online, 20)) == (1, 3, (3.0, 5.0))


def test_a_window_view_whose_source_has_no_key_cannot_be_loaded(engine, online, ledger, clock):
    import msgspec

    view = check_view(
        delays_view(), entity=ORIGIN, source=msgspec.structs.replace(LANDINGS, key=())
    )
    with pytest.raises(DefinitionError, match="TD-FEATURE-015"):
        materialise(
            view, rows_table(LANDINGS, []), engine=engine, online=online, ledger=ledger, clock=clock
        )


class Racing(MemoryStore):
    """A store in which another writer is quicker, once, between every look and write."""

    def __init__(self, first):
        super().__init__()
        self.first = first

    def put_if(self, expected, pairs, *, durable=True):
        first, self.first = self.first, None
        if first is not None:
            first()
        return super().put_if(expected, pairs, durable=durable)


@pytest.mark.parametrize("view", [DELAYS, WEATHER_VIEW])
def test_of_two_that_push_the_same_event_at_once_one_applies_it(view, eventlog, clock):
    event = landing(1, 10) if view is DELAYS else weather(10, 5.0)
    told = []

    def other():
        told.append(push(view, [event], online=store, eventlog=eventlog, clock=clock, writer="b"))

    store = Racing(other)
    own = push(
        view, [event, event | {"event_id": "more"}], online=store, eventlog=eventlog, clock=clock
    )
    assert (told[0].accepted, own.accepted, own.repeated) == (1, 1, 1)
    restored = MemoryStore()
    assert replay_pushes(view, online=restored, eventlog=eventlog) == 2


def test_of_two_rows_of_one_time_pushed_at_once_the_greater_stays(eventlog, clock):
    def other():
        push(
            WEATHER_VIEW,
            [weather(10, 9.0, event_id="o")],
            online=store,
            eventlog=eventlog,
            clock=clock,
            writer="b",
        )

    store = Racing(other)
    push(
        WEATHER_VIEW, [weather(10, 2.0, event_id="p")], online=store, eventlog=eventlog, clock=clock
    )
    assert now(store, 11, WEATHER_VIEW)["wind"] == 9.0


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([landing(1, 10) | {"origin": "x" * 600}], "TD-ONLINE-004"),
        ([landing(1, 10) | {"origin": "é" * 300}], "TD-ONLINE-004"),
        ([landing(1, 10) | {"origin": "\0" * 300}], "TD-ONLINE-004"),
        ([landing(1, 10) | {"origin": "half \ud800"}], "TD-FEATURE-016.*surrogate"),
        ([landing(1, 10) | {"event_id": "\ud800"}], "TD-FEATURE-016.*surrogate"),
        ([landing(1, 10)] * 50_001, "TD-FEATURE-104"),
    ],
)
def test_what_could_not_be_kept_is_refused_before_it_is_logged(writer, eventlog, events, code):
    with pytest.raises(CallerError, match=code):
        writer.push(events)
    assert list(eventlog.read(stream_of(DELAYS))) == []


def test_the_longest_key_that_a_store_takes_is_pushed_and_read(tmp_path, eventlog, clock):
    from tondo.adapters.online.lmdb.store import LmdbStore

    store = LmdbStore(tmp_path / "online")
    key = "x" * 400
    push(DELAYS, [landing(1, 10) | {"origin": key}], online=store, eventlog=eventlog, clock=clock)
    assert read_online(DELAYS, [key], 11 * HOUR_US, online=store)[0]["landed_3h"] == 1.0
    store.close()
