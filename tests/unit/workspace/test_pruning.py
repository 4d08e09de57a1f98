"""Pruning by the workspace: what it deletes, refuses and tells."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import FEBRUARY, HABITS, write_shop
from tondo.core.errors import CallerError, DefinitionError
from tondo.core.instants import format_instant, to_micros
from tondo.workspace.bootstrap import manual_clock, open_workspace

BUSY = """\
view: busy
entity: customer
source: visits
owner: ana
description: How busy a customer was.
freshness: 7d
arrival: pushed
retention: 2d
features:
  visits_7d: count(*) over 7d tiles 1h
---
view: kept
entity: customer
source: visits
owner: ana
description: The last visit.
freshness: 7d
arrival: pushed
features:
  last: last(visit) over 7d
"""
DAY_US = 86_400_000_000
NOW_US = to_micros(FEBRUARY)


@pytest.fixture
def shop(tmp_path):
    folder = write_shop(tmp_path / "shop", HABITS, BUSY, rows=50)
    with open_workspace(folder, clock=manual_clock(NOW_US)) as opened:
        opened.data.commit_source("visits")
        opened.features.sync_definitions()
        yield opened


def visit(name, days_ago):
    at_us = NOW_US - int(days_ago * DAY_US)
    return {"visit": name, "customer": "new", "at": at_us}


def read(shop, days_ago):
    as_of = format_instant(NOW_US - int(days_ago * DAY_US))
    return shop.features.read_online("busy", ["new"], as_of=as_of)[0]["visits_7d"]


def test_a_dry_run_tells_what_would_go_and_a_run_lets_it_go(shop):
    shop.features.push("busy", [visit("a", 20), visit("b", 8), visit("c", 1)])
    planned = shop.features.prune("busy", dry_run=True)
    assert (planned.rows, planned.marks, read(shop, 15)) == (2, 1, 1.0)
    assert shop.features.prune("busy") == planned
    assert [read(shop, days) for days in (2, 0)] == [1.0, 1.0]
    with pytest.raises(CallerError, match="TD-ONLINE-021"):
        read(shop, 2.1)


def test_an_event_too_late_for_any_window_is_counted_and_told(shop):
    shop.features.prune("busy")
    receipt = shop.features.push("busy", [visit("old", 30), visit("new", 1)])
    assert (receipt.accepted, receipt.dropped, read(shop, 0)) == (1, 1, 1.0)
    found = [each for each in shop.monitoring.findings() if each.kind == "late_events"]
    assert [(each.subject, each.numbers) for each in found] == [("view/busy", {"dropped": 1})]
    assert shop.features.prune("busy").dropped == 1


def test_what_was_too_late_online_is_history_all_the_same(shop):
    shop.features.prune("busy")
    before = shop.data.snapshot("visits").rows
    shop.features.push("busy", [visit("old", 30)])
    shop.features.record_pushes("busy")
    assert shop.data.snapshot("visits").rows == before + 1


def test_a_view_without_retention_is_refused(shop):
    with pytest.raises(DefinitionError, match="TD-FEATURE-021"):
        shop.features.prune("kept")
