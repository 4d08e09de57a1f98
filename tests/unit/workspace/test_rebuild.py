"""A training set built again from its manifest alone is the same, bit for bit."""

from __future__ import annotations

import pytest

from shop import write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import TondoError
from tondo.core.instants import parse_instant
from tondo.stages.features.rebuild import rebuild_training_set
from tondo.workspace.bootstrap import open_workspace

NOW_US = parse_instant("2026-02-20T00:00:00Z")
VIEWS = """\
entity: customer
key: customer
owner: ana
description: Who visits.
---
entity: device
key: device
owner: ana
description: What is visited with.
---
view: last_visit
entity: customer
source: visits
owner: ana
description: The customer's visit before.
freshness: 1d
arrival: pushed
ttl: 20d
features: {device: device, minutes: minutes}
---
view: devices
entity: device
source: visits
owner: ana
description: How busy a kind of device is.
freshness: 1d
every: 6h
features: {minutes: minutes}
---
view: habits
entity: customer
source: visits
owner: ana
description: What the customer did before.
freshness: 1d
arrival: pushed
features: {visits_7d: count(*) over 7d, mean: avg(minutes) over 7d tiles 1d}
"""
MODEL = """\
model: all
owner: ana
description: A lookup, a window, tiles, a second hop, a computed key, a cadence, a split by group.
source: visits
row_id: visit
time: at
label: bought
label_known_at: ended_at
algorithm: logistic
split: {by: group, column: customer, validation: 0.3}
features:
  pages: pages
  before: "fill_mean(@devices.minutes[@last_visit.device])"
  now: "fill_mean(@devices.minutes[lower(upper(device))])"
  week: "fill_mean(@habits.visits_7d)"
  mean: "fill_mean(@habits.mean)"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("rebuild") / "shop", VIEWS, MODEL)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        yield opened


@pytest.fixture(scope="module")
def run(shop):
    return shop.training.train("all")


def test_the_manifest_alone_rebuilds_it(shop, run):
    made = shop.training.training_set(run.training_set[:12])
    assert made.left_out_by_time > 0
    assert made.label_known_at == "ended_at"
    assert len(made.keys) == 1
    found = shop.training.rebuild(run.training_set[:12])
    assert (found.training_set, found.same, found.differs_in) == (run.training_set, True, [])


def test_it_is_the_same_in_small_pieces(shop, run):
    parts = shop.parts
    found = rebuild_training_set(
        run.training_set,
        engine=parts.engine,
        blobs=parts.blobs,
        ledger=parts.ledger,
        piece_bytes=20_000,
    )
    assert found.same


def test_the_setting_limits_engine_and_pieces_and_changes_no_id(shop, run, monkeypatch):
    monkeypatch.setenv("TONDO_MEMORY_MB", "96")
    with open_workspace(shop.parts.root, clock=ManualClock(NOW_US)) as limited:
        assert limited.parts.piece_bytes == 24 << 20
        assert limited.training.rebuild(run.training_set).same


def test_it_is_the_same_though_data_and_definitions_have_moved_on(shop, run):
    folder = shop.parts.root
    later = "v9999,c01,2026-02-01T00:00:00Z,3,4.5,phone,2026-02-01T00:04:30Z,true\n"
    with (folder / "visits.csv").open("a") as file:
        file.write(later)
    shop.data.commit_source("visits", by="ana", why="a late visit")
    text = (folder / "shop1.yaml").read_text()
    (folder / "shop1.yaml").write_text(text.replace("ttl: 20d", "ttl: 2d"))
    with open_workspace(folder, clock=ManualClock(NOW_US)) as moved:
        moved.features.sync_definitions(by="ana")
        assert moved.training.train("all").training_set != run.training_set
        assert moved.training.rebuild(run.training_set).same


def test_rows_that_a_lost_blob_took_are_there_again(shop, run):
    made = shop.training.training_set(run.training_set)
    path = shop.parts.blobs.local_path(made.data)
    before = path.read_bytes()
    path.unlink()
    assert shop.training.rebuild(run.training_set).same
    assert shop.parts.blobs.local_path(made.data).read_bytes() == before


@pytest.mark.parametrize("asked", ["ffffffff", "", "../x"])
def test_what_is_no_training_set_is_refused_with_a_code(shop, run, asked):
    with pytest.raises(TondoError) as caught:
        shop.training.rebuild(asked)
    assert caught.value.code == "TD-WORKSPACE-008"
