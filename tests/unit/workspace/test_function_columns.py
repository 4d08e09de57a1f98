"""A declared Python function's column in a project: in the online store, and told in the catalogue."""

from __future__ import annotations

import pytest

from shop import FEBRUARY, HABITS, write_shop
from tondo.core.instants import to_micros
from tondo.workspace.bootstrap import manual_clock, open_workspace

HASTE = """\
dataset: hasty_visits
owner: ana
description: Visits with how hasty they were.
inputs: [visits]
functions:
  haste: {python: "haste:score", columns: [pages, minutes], type: double}
event_time: at
known_at: {bought: ended_at, ended_at: ended_at}
key: [visit]
---
view: last_haste
entity: customer
source: hasty_visits
owner: ana
description: How hasty the customer was last.
freshness: 3d
every: 1h
features: {haste: haste, doubled: haste * 2, pages: pages}
"""
SCORE = """\
def score(pages, minutes):
    if pages is None or not minutes:
        return None
    return pages / minutes
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("haste") / "shop", HABITS, HASTE, rows=200)
    (folder / "haste.py").write_text(SCORE)
    with open_workspace(folder, clock=manual_clock(to_micros(FEBRUARY))) as opened:
        opened.data.commit_source("visits")
        opened.data.derive("hasty_visits")
        opened.features.sync_definitions(by="ana")
        yield opened


def test_the_column_is_what_the_function_says(shop):

    found = shop.data.sql("select pages, minutes, haste from hasty_visits")
    assert len(found) == 200
    for row in found:
        usable = row["pages"] is not None and row["minutes"]
        assert row["haste"] == (row["pages"] / row["minutes"] if usable else None)


def test_it_is_read_online_as_it_was_computed(shop):
    shop.features.materialise("last_haste")
    newest = shop.data.sql(
        "select customer, haste from hasty_visits qualify row_number() over "
        '(partition by customer order by "at" desc) = 1'
    )
    keys = [each["customer"] for each in newest]
    read = shop.features.read_online("last_haste", keys)
    assert {key: each["haste"] for key, each in zip(keys, read, strict=True)} == {
        each["customer"]: each["haste"] for each in newest
    }


def test_the_catalogue_tells_what_is_outside_the_promise(shop):
    told = {each.name: each.python for each in shop.features.catalogue()}
    assert told["@last_haste.haste"] == told["@last_haste.doubled"] == ("haste:score",)
    assert told["@last_haste.pages"] == told["@habits.visits_7d"] == ()
    assert "outside the promise: haste:score" in repr(shop.features.feature("last_haste.haste"))
