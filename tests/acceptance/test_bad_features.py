"""What a hurried and a hostile person send to the feature store: coded errors, nothing half done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import HABITS, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import TondoError
from tondo.core.instants import parse_instant
from tondo.workspace.bootstrap import open_workspace

NOW_US = parse_instant("2026-02-26T00:00:00Z")
LAST = """\
view: last_visit
entity: customer
source: visits
owner: ana
description: The customer's last visit.
freshness: 1d
every: 1d
features: {minutes: minutes, device: device}
"""
CIRCLE = """\
dataset: first
owner: ana
description: Made from what is made from it.
inputs: [second]
sql: select * from second
---
dataset: second
owner: ana
description: The other half.
inputs: [first]
sql: select * from first
"""
EVENT = {"visit": "x", "customer": "c1", "at": "2026-02-25T00:00:00Z"}


@pytest.fixture
def folder(tmp_path):
    return write_shop(tmp_path / "shop", HABITS, LAST)


@pytest.fixture
def shop(folder):
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        opened.features.materialise("last_visit")
        yield opened


def without(path, column):
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index(column)
    path.write_text(
        "\n".join(",".join(c for at, c in enumerate(line) if at != place) for line in lines)
    )


def refused(code, verb, *arguments, **named):
    with pytest.raises(TondoError, match=f"(?s){code}") as caught:
        verb(*arguments, **named)
    return caught.value


def test_a_source_that_lost_a_column_loses_no_value_that_was_loaded(shop, folder):
    before = shop.features.read_online("last_visit", ["c01"])
    without(folder / "visits.csv", "minutes")
    shop.data.commit_source("visits", by="ana", why="without minutes")
    refused("TD-FEATURE-101.*'minutes'", shop.features.materialise, "last_visit")
    refused("TD-LANG-003.*'minutes'", shop.features.sync_definitions)
    refused("TD-LANG-003.*'minutes'", shop.training.train, "buys")
    assert shop.features.read_online("last_visit", ["c01"]) == before


def test_one_broken_view_does_not_hold_up_the_others_that_are_due(shop, folder):
    without(folder / "visits.csv", "minutes")
    shop.data.commit_source("visits", by="ana", why="without minutes")
    shop.parts.clock.set_us(NOW_US + 86_400_000_000)
    (view,) = shop.features.materialise_due().views
    assert (view.outcome, view.error["code"]) == ("failed", "TD-FEATURE-101")


def test_rows_without_a_key_are_nobodys(shop, folder):
    path = folder / "visits.csv"
    head, *lines = path.read_text().splitlines()
    cut = [
        line if at % 3 else line.replace(line.split(",")[1], "", 1) for at, line in enumerate(lines)
    ]
    path.write_text("\n".join([head, *cut]))
    shop.data.commit_source("visits", by="ana", why="keys are missing")
    loaded = shop.features.materialise("last_visit")
    assert loaded.keys <= 100
    assert shop.features.read_online("last_visit", [""])[0]["minutes"] is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({**EVENT, "customer": None}, r"TD-FEATURE-016: events\[0\].*null in 'customer'"),
        ({**EVENT, "customer": 5}, r"TD-LANG-008: events\[0\].*a string"),
        ({**EVENT, "at": "yesterday"}, "TD-LANG-008.*timestamp"),
        ({**EVENT, "at": "2026-02-25T00:00:00"}, "TD-LANG-008.*timestamp"),
        ({**EVENT, "at": 10**30}, "TD-LANG-008"),
        ({"visit": "x", "at": EVENT["at"]}, "TD-FEATURE-016.*'customer'"),
        ("x", "TD-FEATURE-016.*is no event"),
        (None, "TD-FEATURE-016.*is no event"),
        (["visit"], "TD-FEATURE-016.*is no event"),
    ],
)
def test_a_push_with_one_bad_event_pushes_none(shop, event, code):
    refused(code, shop.features.push, "habits", [event])
    refused(r"events\[1\]", shop.features.push, "habits", [EVENT, event])
    assert shop.features.push("habits", [EVENT]).accepted == 1


def test_events_that_are_no_list_are_refused(shop):
    refused("TD-FEATURE-016.*is no event", shop.features.push, "habits", EVENT)


def test_datasets_made_from_each_other_are_told_as_a_circle(tmp_path):
    folder = write_shop(tmp_path / "shop", CIRCLE)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        refused("TD-PROJECT-006.*first from second from first", opened.data.derive, "first")


@pytest.mark.parametrize(
    ("feature", "code"),
    [
        ("@last_visits.minutes", "TD-LANG-004.*'last_visit'"),
        ("@last_visit.minute", "TD-LANG-004.*'minutes'"),
        ("@last_visit.minutes[pages]", "TD-FEATURE-007.*double.*string"),
        ("@last_visit.minutes[custommer]", "TD-LANG-003.*'customer'"),
        ("@last_visit.device", "TD-TRAIN-003|cannot read"),
        ("minutes +", "TD-LANG-001"),
        ("minutez", "TD-LANG-003.*'minutes'"),
        ("upper(minutes)", "TD-LANG-005"),
        ("ended_at", "TD-KNOWN-001"),
    ],
)
def test_a_model_that_names_what_is_not_there_is_refused_with_its_place(tmp_path, feature, code):
    folder = write_shop(tmp_path / "shop", HABITS, LAST, rows=200)
    text = (folder / "shop0.yaml").read_text().replace("zscore(fill_mean(pages))", f'"{feature}"')
    (folder / "shop0.yaml").write_text(text)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        error = refused(code, opened.training.train, "buys")
    assert "feature 'pages'" in str(error) or "pages" in str(error)
