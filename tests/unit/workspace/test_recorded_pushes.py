"""Pushed events become rows of the source, each once, and training sees what serving saw."""

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import FEBRUARY, HABITS, write_shop
from tondo.core.errors import DefinitionError
from tondo.core.instants import to_micros
from tondo.stages.features.joins import join_views
from tondo.stages.features.recorded_pushes import KIND
from tondo.workspace.bootstrap import manual_clock, open_workspace

LONG = """\
dataset: long_visits
owner: ana
description: Visits of five minutes and more.
inputs: [visits]
sql: "select * from visits where minutes >= 5"
columns: {visit: string, customer: string, at: timestamp, ended_at: timestamp, bought: bool}
event_time: at
known_at: {bought: ended_at, ended_at: ended_at}
key: [visit]
"""
HOUR_US = 3_600_000_000
NOW_US = to_micros(FEBRUARY)


@pytest.fixture
def shop(tmp_path):
    folder = write_shop(tmp_path / "shop", HABITS, LONG, rows=200)
    with open_workspace(folder, clock=manual_clock(NOW_US)) as opened:
        opened.data.commit_source("visits")
        opened.data.derive("long_visits")
        opened.features.sync_definitions()
        opened.features.materialise("habits")
        yield opened


def visit(name, hours_ago, **more):
    at_us = NOW_US - int(hours_ago * HOUR_US)
    return {"visit": name, "customer": "new", "at": at_us, **more}


def offline(shop, at_us):
    import pyarrow as pa

    view = shop.features.view("habits")
    spine = pa.table({"customer": ["new"], "t": pa.array([at_us], pa.timestamp("us", tz="UTC"))})
    joined = join_views(
        spine,
        time="t",
        view_features=[("n", "habits", "visits_7d", "customer")],
        views={"habits": (view, shop.data.table("visits"))},
        engine=shop.parts.engine,
    )
    return joined.column("n").to_pylist()[0]


def online(shop):
    return shop.features.read_online("habits", ["new"])[0]["visits_7d"]


def rows(shop):
    return shop.data.snapshot("visits").rows


def test_what_was_pushed_is_in_the_history_with_the_same_value(shop):
    shop.features.push("habits", [visit("p1", 1), visit("p2", 2), visit("p3", 200)])
    assert (online(shop), offline(shop, NOW_US)) == (2.0, 0.0)
    done = shop.features.record_pushes("habits")
    assert (done.rows, done.known, rows(shop)) == (3, 0, 203)
    assert (online(shop), offline(shop, NOW_US)) == (2.0, 2.0)


def test_recording_again_adds_nothing(shop):
    shop.features.push("habits", [visit("p1", 1), visit("other", 1, event_id="own")])
    first = shop.features.record_pushes("habits")
    again = shop.features.record_pushes("habits")
    assert (first.rows, again.rows, again.known) == (2, 0, 0)
    assert again.snapshot == first.snapshot


def test_the_log_is_read_from_where_the_last_recording_stopped(shop, monkeypatch):
    shop.features.push("habits", [visit("p1", 1), visit("own", 1, event_id="own")])
    shop.features.record_pushes("habits")
    shop.features.push("habits", [visit("p1", 1), visit("p2", 2)])
    read = []
    log = shop.parts.eventlog
    monkeypatch.setattr(
        log, "read", lambda *where, of=log.read: [read.append(each) or each for each in of(*where)]
    )
    done = shop.features.record_pushes("habits")
    assert (done.rows, rows(shop)) == (1, 203)
    # Once for the store, once for the dataset; only the second push.
    assert len(read) == 2
    assert b"own" not in b"".join(payload for _, payload in read)


def test_all_is_read_again_where_what_was_recorded_has_gone(shop):
    shop.features.push("habits", [visit("p1", 1)])
    shop.features.record_pushes("habits")
    shop.features.push("habits", [visit("p2", 2)])
    shop.data.commit_source("visits")
    assert (shop.features.record_pushes("habits").rows, rows(shop)) == (2, 202)


def test_a_recording_of_before_positions_were_kept_reads_all(shop):
    shop.features.push("habits", [visit("p1", 1)])
    first = shop.features.record_pushes("habits")
    older = {**msgspec.to_builtins(first), "id": "older"}
    del older["read_until"]
    shop.parts.ledger.put(KIND, "older", older)
    assert shop.features.record_pushes("habits").known == 1


def test_rows_that_the_source_has_already_are_not_added(shop):
    shop.features.push("habits", [visit("v0001", 1), visit("p1", 1)])
    done = shop.features.record_pushes("habits")
    assert done.rows == 1


def test_recorded_events_change_nothing_when_the_view_is_loaded_again(shop):
    shop.features.push("habits", [visit("p1", 1), visit("own", 1, event_id="own")])
    shop.features.record_pushes("habits")
    shop.features.materialise("habits")
    assert online(shop) == offline(shop, NOW_US)


def test_a_source_that_was_read_again_is_recorded_again(shop):
    shop.features.push("habits", [visit("p1", 1)])
    shop.features.record_pushes("habits")
    shop.data.commit_source("visits")
    assert rows(shop) == 200
    assert (shop.features.record_pushes("habits").rows, rows(shop)) == (1, 201)


def test_pushes_to_a_view_of_a_derived_dataset_cannot_be_recorded(shop, monkeypatch):
    view = shop.features.view("habits")
    derived = type(view)(
        **{name: getattr(view, name) for name in view.__struct_fields__} | {"source": "long_visits"}
    )
    monkeypatch.setattr(type(shop.features), "view", lambda self, name: derived)
    with pytest.raises(DefinitionError, match=r"TD-FEATURE-102.*\(visits\)"):
        shop.features.record_pushes("habits")


def test_a_store_that_was_lost_has_pushes_and_recorded_events_again_once_each(shop):
    shop.features.push("habits", [visit("p1", 1), visit("own", 1, event_id="own"), visit("p2", 2)])
    shop.features.record_pushes("habits")
    shop.features.push("habits", [visit("p3", 3)])
    shop.parts.online.delete_range(b"", b"\xff")
    shop.features.materialise("habits")
    assert online(shop) == 4.0
