"""What is due is loaded once, whoever asks; promises of freshness are looked after."""

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import FEBRUARY, HABITS, write_shop, write_visits
from tondo.core.errors import ConflictError, TondoError
from tondo.core.instants import to_micros
from tondo.workspace.bootstrap import manual_clock, open_workspace

HOUR_US = 3_600_000_000
NOW_US = to_micros(FEBRUARY)
LAST = """\
view: last_visit
entity: customer
source: visits
owner: ana
description: What the customer did last.
freshness: 3d
every: 1h
features: {pages: pages, minutes: minutes}
"""
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
---
view: last_long
entity: customer
source: long_visits
owner: ana
description: What the customer did last for long.
freshness: 3d
every: 1h
features: {pages: pages}
"""

LEVELS = """\
entity: device
key: device
owner: ana
description: What is visited with.
---
source: level_log
owner: ana
description: What the load service answered.
columns: {device: string, at: timestamp, level: double}
event_time: at
---
view: levels
entity: device
source: level_log
owner: ana
description: How busy the shop is on a kind of device.
freshness: 1d
arrival: asked
service: {url: "http://127.0.0.1:9/levels", timeout: 200ms, defaults: {level: 0.5}}
features: {level: level}
"""


@pytest.fixture
def clock():
    return manual_clock(NOW_US)


@pytest.fixture
def folder(tmp_path, clock):
    folder = write_shop(tmp_path / "shop", HABITS, LAST, LONG, rows=200)
    with open_workspace(folder, clock=clock) as shop:
        shop.data.commit_source("visits")
        shop.data.derive("long_visits")
        shop.features.sync_definitions()
    return folder


@pytest.fixture
def shop(folder, clock):
    with open_workspace(folder, clock=clock) as opened:
        yield opened


def outcomes(run):
    return {each.view: each.outcome for each in run.views}


def statuses(shop):
    return {each.subject: each.status for each in shop.monitoring.alerts()}


def test_what_is_due_is_loaded_in_the_order_of_its_sources(shop):
    run = shop.features.materialise_due()
    assert outcomes(run) == {"last_visit": "loaded", "last_long": "loaded"}
    assert [each.view for each in run.views] == ["last_visit", "last_long"]
    assert shop.features.read_online("last_visit", ["c07"])[0]["pages"] is not None


def test_nothing_is_loaded_again_before_the_next_boundary(shop, clock):
    shop.features.materialise_due()
    clock.set_us(NOW_US + HOUR_US - 1)
    assert set(outcomes(shop.features.materialise_due()).values()) == {"up to date"}
    clock.set_us(NOW_US + HOUR_US)
    assert set(outcomes(shop.features.materialise_due()).values()) == {"loaded"}


def test_missed_boundaries_are_caught_up_by_one_load(shop, clock):
    shop.features.materialise_due()
    clock.set_us(NOW_US + 5 * HOUR_US)
    loaded = shop.features.materialise_due().views[0].materialisation
    assert (loaded.until_us, loaded.boundaries_missed) == (NOW_US + 5 * HOUR_US, 4)
    assert (loaded.files_read, loaded.files_reused) == (0, 1)


def test_a_derived_source_is_brought_up_to_date_first(shop, clock, folder):
    shop.features.materialise_due()
    write_visits(folder / "visits.csv", rows=200, seed=99)
    shop.data.commit_source("visits")
    clock.set_us(NOW_US + HOUR_US)
    run = shop.features.materialise_due()
    snapshot = shop.data.snapshot("long_visits").id
    assert run.views[1].materialisation.snapshot == snapshot


def test_a_store_that_was_lost_makes_its_views_due(shop):
    shop.features.materialise_due()
    shop.parts.online.delete_range(b"", b"\xff")
    assert outcomes(shop.features.materialise_due())["last_visit"] == "loaded"


def test_one_that_fails_is_told_and_the_others_go_on(shop, folder):
    path = folder / "visits.csv"
    path.write_text(path.read_text().replace("pages", "leaves", 1))
    shop.data.commit_source("visits")
    run = shop.features.materialise_due()
    failed = next(each for each in run.views if each.view == "last_visit")
    assert (failed.outcome, failed.error["code"]) == ("failed", "TD-FEATURE-101")
    assert len(run.views) == 2


def test_two_that_run_it_together_load_each_view_once(folder, clock):
    told = []

    def run():
        with open_workspace(folder, clock=clock) as mine:
            mine.parts.__dict__["online"] = shared
            told.append(mine.features.materialise_due())
            del mine.parts.__dict__["online"]

    with open_workspace(folder, clock=clock) as shop:
        shared = shop.parts.online
        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        loads = shop.parts.ledger.records("materialisation")
    assert sorted(each.body["view"] for each in loads) == ["last_long", "last_visit"]
    assert len(told) == 3


def test_a_view_that_another_process_loads_is_left_to_it(shop):
    with shop.parts.executions.run("materialise", key="last_visit"):
        assert outcomes(shop.features.materialise_due())["last_visit"] == "running elsewhere"
        with pytest.raises(ConflictError, match="TD-FLOW-001"):
            shop.features.materialise("last_visit")


def test_a_broken_promise_is_an_alert_until_it_is_kept_again(shop, clock, folder):
    shop.features.materialise_due()
    assert statuses(shop)["view/habits"] == "open"  # nothing was ever loaded or pushed
    assert "view/last_visit" not in statuses(shop)
    clock.set_us(NOW_US + 80 * HOUR_US)
    run = shop.features.materialise_due()
    assert statuses(shop)["view/last_visit"] == "open"
    found = next(each for each in run.freshness if each.view == "last_visit")
    assert (found.is_fresh, found.promised_s) == (False, 3 * 86400)
    assert shop.features.read_online("last_visit", ["c07"])[0]["pages"] is not None
    write_visits(folder / "visits.csv", rows=200, until=FEBRUARY.replace(month=3, day=1))
    shop.data.commit_source("visits")
    clock.set_us(NOW_US + 81 * HOUR_US)
    shop.features.materialise_due()
    assert statuses(shop)["view/last_visit"] == "closed"


def test_a_plan_of_a_view_tells_what_it_would_read(shop):
    first = shop.features.plan_materialisation("last_visit")
    shop.features.materialise("last_visit")
    again = shop.features.plan_materialisation("last_visit")
    assert (first.files_read, first.is_whole) == (1, True)
    assert (again.files_read, again.files_reused, again.last_until_us) == (0, 1, NOW_US)


def test_a_view_that_is_asked_promises_nothing_that_could_grow_old(tmp_path, clock):
    with open_workspace(write_shop(tmp_path / "asked", LEVELS), clock=clock) as shop:
        shop.features.sync_definitions()
        run = shop.features.materialise_due()
        assert (run.views, run.freshness, shop.monitoring.alerts()) == ([], [], [])
        with pytest.raises(TondoError, match="TD-FEATURE-0"):
            shop.features.record_pushes("levels")
