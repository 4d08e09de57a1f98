"""A feature looked up by another feature, and one by a computed key: trained, served, recomputed."""

from __future__ import annotations

import pytest

from shop import write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import DefinitionError
from tondo.core.instants import parse_instant
from tondo.workspace.bootstrap import open_workspace

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
features: {other: "case device when 'phone' then 'desktop' else 'phone' end", minutes: minutes}
---
view: devices
entity: device
source: visits
owner: ana
description: How busy a kind of device is.
freshness: 1d
arrival: pushed
features: {visits_7d: count(*) over 7d}
"""
HOPS = """\
model: hops
owner: ana
description: Busyness of the device used before, and of the one told in capitals.
source: visits
row_id: visit
time: at
label: bought
label_known_at: ended_at
algorithm: logistic
split: {by: time, validation: 0.25}
features:
  pages: pages
  before: "fill_mean(@devices.visits_7d[@last_visit.other])"
  now: "fill_mean(@devices.visits_7d[lower(upper(device))])"
  told: "fill_mean(@devices.visits_7d[device])"
gate: {thresholds: {auc: {min: 0.5}}}
"""
NOW_US = parse_instant("2026-02-26T00:00:00Z")
ROW = {"pages": 3.0, "device": "phone", "customer": "c01"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("hops") / "shop", VIEWS, HOPS)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        for view in ("last_visit", "devices"):
            opened.features.materialise(view)
        run = opened.training.train("hops")
        version = opened.registry.register(run.id, by="ana", why="first")
        opened.deployment.deploy("hops", str(version.number), by="ana", why="passed")
        yield opened


def rows(shop, text):
    return shop.data.sql(text)


def asked(shop, row):
    answer = shop.deployment.predict("hops", row)
    return shop.monitoring.prediction(answer.predictions[0].id).looked_up


def test_the_second_key_is_the_first_features_value(shop):
    inputs = asked(shop, ROW)
    last = rows(
        shop, "select device from visits where customer = 'c01' order by visits.at desc limit 1"
    )
    week = "visits.at >= timestamptz '2026-02-19 00:00:00Z'"
    counted = {
        each["device"]: each["n"]
        for each in rows(
            shop, f"select device, count(*) as n from visits where {week} group by device"
        )
    }
    before = {"phone": "desktop", "desktop": "phone"}[last[0]["device"]]
    assert inputs["@last_visit.other[customer]"] == before
    assert inputs["@devices.visits_7d[@last_visit.other]"] == counted[before]
    assert inputs["@devices.visits_7d[lower(upper(device))]"] == counted["phone"]


def test_training_joins_both_ways_alike(shop):
    run = shop.training.runs(model="hops")[0]
    from tondo.stages.features.training_set import read_training_set, training_table

    made = read_training_set(run.training_set, ledger=shop.parts.ledger)
    table = shop.parts.engine.scan(training_table(made, blobs=shop.parts.blobs))
    told = table.column("@devices.visits_7d[device]")
    assert table.column("@devices.visits_7d[lower(upper(device))]").equals(told)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    hopped = columns["@devices.visits_7d[@last_visit.other]"]
    own = columns["@last_visit.other[customer]"]
    assert set(own) == {"phone", "desktop"}
    assert hopped != told.to_pylist()
    week = 7 * 86_400
    seen = []
    for at, device, other, found in zip(columns["at"], columns["device"], own, hopped, strict=True):
        within = [each for when, each in seen if (at - when).total_seconds() <= week]
        assert found == within.count(other)
        seen.append((at, device))
    assert not [name for name in table.column_names if name.startswith("=")]


def test_what_was_served_is_computed_again_bit_for_bit(shop):
    for place in range(20):
        asked(shop, {**ROW, "customer": f"c{place:02d}", "device": ["phone", "desktop"][place % 2]})
    asked(shop, {**ROW, "customer": "nobody"})
    report = shop.monitoring.recompute("hops").report
    assert (report.rows >= 21, report.exact) == (True, True)


def test_nobody_has_no_device_and_so_no_second_value(shop):
    inputs = asked(shop, {**ROW, "customer": "nobody"})
    assert inputs["@last_visit.other[customer]"] is None
    assert inputs["@devices.visits_7d[@last_visit.other]"] is None


def test_the_catalogue_sees_both_features_used(shop):
    assert {each.name for each in shop.features.catalogue(used_by="hops")} == {
        "@devices.visits_7d",
        "@last_visit.other",
    }


@pytest.mark.parametrize(
    ("feature", "what"),
    [
        ("@devices.visits_7d[@last_visit.minutes]", "TD-LANG-091.*is a double"),
        ("@devices.visits_7d[pages + 1]", "TD-LANG-091.*is a double"),
        ("@devices.visits_7d[fill_mode(device)]", "TD-LANG-091.*learned in training"),
        ("@devices.visits_7d[@last_visit.othr]", "TD-LANG-004.*'other'"),
        ("@devices.visits_7d[lower(devise)]", "TD-LANG-003.*'device'"),
        ("@devices.visits_7d[]", "TD-LANG-001"),
        ("@devices.visits_7d[device", "TD-LANG-001"),
        ("@devices.visits_7d[lower(cast(bought as string))]", "TD-LANG|TD-KNOWN"),
    ],
)
def test_a_key_that_cannot_be_is_refused_with_its_place(shop, tmp_path, feature, what):
    text = HOPS.replace("pages: pages", f'pages: "{feature}"')
    folder = write_shop(tmp_path / "shop", VIEWS, text, rows=50)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        with pytest.raises(DefinitionError, match=f"(?s){what}"):
            opened.training.train("hops")


def test_a_package_without_a_store_wants_only_what_its_features_read(shop, tmp_path):
    import tondo

    version = shop.registry.version("hops", "1")
    path = tmp_path / "hops.zip"
    path.write_bytes(shop.parts.blobs.get(version.package))
    scorer = tondo.load(path)
    row = {
        **ROW,
        "@devices.visits_7d[@last_visit.other]": 3.0,
        "@devices.visits_7d[lower(upper(device))]": 4.0,
        "@devices.visits_7d[device]": 4.0,
    }
    assert 0 <= scorer.predict(row) <= 1
