"""What is remembered of the joins is joined once, and never used where it would not be true."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from airport import HOUR_US, LANDINGS, ORIGIN, TIME, WEATHER, delays_view, rows_table, weather_view
from tondo.stages.data.arrow_types import stored_types
from tondo.stages.data.snapshots import Snapshot, manifest, snapshot_table, write_file
from tondo.stages.features.joined_files import KIND, JoinRecipe, joined_rows
from tondo.stages.features.spans import EMPTY, UNKNOWN, Span, span_of
from tondo.stages.features.views import check_view

WIND = ("@weather.wind[origin]", "weather", "wind", "origin")
LANDED = ("@delays.landed_3h[origin]", "delays", "landed_3h", "origin")


class Watched:
    """An engine that notes how many rows it is asked to join."""

    def __init__(self, engine):
        self._engine = engine
        self.name = engine.name
        self.joined = []

    def point_in_time(self, spine, **options):
        self.joined.append(spine.num_rows)
        return self._engine.point_in_time(spine, **options)

    def __getattr__(self, name):
        return getattr(self._engine, name)


def flights(*hours):
    return pa.table(
        {
            "origin": pa.array(["JFK"] * len(hours)),
            "at": pa.array([None if hour is None else hour * HOUR_US for hour in hours], TIME),
        }
    )


def weather(*hours):
    rows = [{"origin": "JFK", "hour": h * HOUR_US, "wind": float(h), "sky": None} for h in hours]
    return rows_table(WEATHER, rows)


def landings(*hours):
    rows = [
        {
            "flight": hour,
            "origin": "JFK",
            "landed_at": hour * HOUR_US,
            "recorded_at": hour * HOUR_US,
            "delay": 1.0,
        }
        for hour in hours
    ]
    return rows_table(LANDINGS, rows)


@pytest.fixture
def watched(engine):
    return Watched(engine)


@pytest.fixture
def joined(watched, blobs, ledger):
    def snapshot(tables):
        files = tuple(write_file(table, blobs=blobs) for table in tables)
        kept = Snapshot(columns=stored_types(tables[0]), files=files, rows=0)
        ledger.put("snapshot", kept.id, manifest(kept))
        return snapshot_table(kept, blobs=blobs), kept.id

    def rows(spine, features=(WIND,), weather_files=(), landing_files=(), **changes):
        views = {
            "weather": (
                check_view(weather_view(**changes), entity=ORIGIN, source=WEATHER),
                *snapshot(weather_files or [weather(1)]),
            ),
            "delays": (
                check_view(delays_view(), entity=ORIGIN, source=LANDINGS),
                *snapshot(landing_files or [landings(1)]),
            ),
        }
        table, id_ = snapshot(spine)
        used = {each[1] for each in features}
        recipe = JoinRecipe(
            time="at",
            columns=["origin", "at"],
            labels={},
            view_features=list(features),
            views={name: view for name, view in views.items() if name in used},
        )
        return pa.concat_tables(
            joined_rows(
                table, snapshot=id_, recipe=recipe, engine=watched, blobs=blobs, ledger=ledger
            )
        )

    return rows


def test_only_the_new_file_of_a_longer_spine_is_joined(joined, watched):
    joined([flights(1, 2), flights(3)])
    joined([flights(1, 2), flights(3), flights(4, 5, 6)])
    assert watched.joined == [3, 3]


def test_rows_come_back_in_the_order_of_the_files(joined):
    joined([flights(5), flights(6)])
    found = joined([flights(7), flights(5), flights(6)])
    assert found.column("at").cast(pa.int64()).to_pylist() == [
        7 * HOUR_US,
        5 * HOUR_US,
        6 * HOUR_US,
    ]


def test_a_file_that_stands_twice_is_joined_once_and_comes_back_twice(joined, watched):
    found = joined([flights(1), flights(1), flights(2)])
    assert (found.num_rows, watched.joined) == (3, [2])


def test_later_weather_changes_nothing_for_older_files(joined, watched):
    joined([flights(1), flights(2)], weather_files=[weather(1)])
    joined([flights(1), flights(2)], weather_files=[weather(1), weather(3)])
    assert watched.joined == [2]


def test_late_weather_joins_again_just_the_files_it_matters_to(joined, watched):
    joined([flights(1), flights(5)], weather_files=[weather(1)])
    found = joined([flights(1), flights(5)], weather_files=[weather(1), weather(4)])
    assert watched.joined == [2, 1]
    assert found.column(WIND[0]).to_pylist() == [1.0, 4.0]


def test_an_event_at_the_very_time_of_the_newest_row_matters(joined):
    joined([flights(1), flights(5)], weather_files=[weather(1)])
    found = joined([flights(1), flights(5)], weather_files=[weather(1), weather(5)])
    assert found.column(WIND[0]).to_pylist() == [1.0, 5.0]


def test_events_older_than_the_window_do_not_matter(joined, watched):
    spine = [flights(2), flights(20)]
    joined(spine, features=[LANDED], landing_files=[landings(1)])
    found = joined(spine, features=[LANDED], landing_files=[landings(1), landings(16)])
    assert watched.joined == [2]
    assert found.column(LANDED[0]).to_pylist() == [1.0, 0.0]
    found = joined(spine, features=[LANDED], landing_files=[landings(1), landings(17)])
    assert found.column(LANDED[0]).to_pylist() == [1.0, 1.0]


def test_another_recipe_is_never_answered_from_memory(joined, watched):
    spine = [flights(1), flights(2)]
    joined(spine)
    joined(spine, features=[WIND, LANDED])
    joined(spine, ttl="2h")
    assert watched.joined == [2, 2, 2]


def test_a_lost_blob_is_joined_again(joined, watched, blobs, ledger, monkeypatch):
    spine = [flights(1), flights(2)]
    before = joined(spine)
    lost = ledger.records(KIND)[0].body["data"]
    has = blobs.has
    monkeypatch.setattr(blobs, "has", lambda digest: digest != lost and has(digest))
    assert joined(spine).equals(before)
    assert watched.joined == [2, 1]


def test_a_spine_of_one_file_is_not_remembered(joined, ledger):
    joined([flights(1, 2)])
    assert ledger.count(KIND) == 0


def write(path, table, **options):
    parquet.write_table(table, path, **options)
    return path


def test_a_span_reaches_over_all_row_groups_and_leaves_out_nulls(tmp_path):
    path = write(tmp_path / "f", flights(3, None, 9, 1, None, None), row_group_size=2)
    assert span_of(path, "at") == Span(HOUR_US, 9 * HOUR_US)


@pytest.mark.parametrize("table", [flights(), flights(None, None)])
def test_a_file_without_times_matters_to_nothing(tmp_path, table):
    span = span_of(write(tmp_path / "f", table), "at")
    assert span == EMPTY
    assert not span.matters_to(Span(0, 9), None)


@pytest.mark.parametrize("column", ["at", "origin", "nowhere", None])
def test_a_file_that_does_not_say_matters_to_everything(tmp_path, column):
    path = write(tmp_path / "f", flights(1), write_statistics=False)
    assert span_of(path, column) == UNKNOWN
    assert UNKNOWN.matters_to(Span(0, 9), 0)
