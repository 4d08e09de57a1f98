"""Leaks of a run: by verb, in the report, in the notebook, and as alerts until they are gone."""

from __future__ import annotations

import pytest
from sklearn.metrics import roc_auc_score

from shop import HABITS, PROJECT, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import NotFoundError
from tondo.core.instants import parse_instant
from tondo.stages.features.training_set import read_training_set, training_table
from tondo.stages.training.periods import Period
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.pipelines import learning

NOW_US = parse_instant("2026-03-01T00:00:00Z")
PAID = """\
dataset: paid_visits
owner: ana
description: Visits with what was paid, which nobody knows when the visit begins.
inputs: [visits]
key: [visit]
event_time: at
sql: |
  select *, case when bought then pages * 3.0 else 0.0 end as paid,
    case when bought then 'card' when pages > 6 then 'none' else 'left' end as way
  from visits
---
"""
LEAKY = """\
model: leaky
owner: ana
description: Reads what it should foresee.
source: paid_visits
row_id: visit
time: at
label: bought
algorithm: lightgbm
parameters: {trees: 5, leaves: 4}
split: {by: random, validation: 0.25}
features:
  pages: pages
  paid: paid
  way: vocab(way, 5)
  before: "@habits.visits_7d"
"""
CLEAN = LEAKY.replace("  paid: paid\n", "").replace("vocab(way, 5)", "vocab(device, 5)")
CLEAN = CLEAN.replace("by: random", "by: time")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("leaks") / "shop", HABITS, LEAKY)
    (folder / "shop0.yaml").write_text(PAID + PROJECT)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as shop:
        shop.data.commit_source("visits", by="ana", why="first load")
        shop.data.derive("paid_visits", by="ana")
        shop.features.sync_definitions(by="ana")
        run = shop.training.train("leaky")
        told = [each for each in shop.monitoring.alerts() if each.kind == "leakage"]
        yield shop, run, told, folder


def test_planted_leaks_are_told_by_verb_report_and_page(trained):
    shop, run, _, _ = trained
    found = shop.training.leaks(run.id[:12])
    assert found == shop.training.run(run.id).leakage
    assert [(each.kind, each.subject) for each in found.leaks] == [
        ("feature", "paid"),
        ("feature", "way"),
        ("key", "customer"),
    ]
    report = shop.training.report(run.id)
    assert report.leaks == found.leaks
    for page in (report._repr_html_(), run._repr_html_()):
        assert "&#x27;paid&#x27; alone tells the label" in page
    assert "'paid' alone" in repr(found)


def test_the_strength_of_a_feature_is_scikit_learns(trained):
    shop, run, _, _ = trained
    made = read_training_set(run.training_set, ledger=shop.parts.ledger)
    table = shop.parts.engine.scan(training_table(made, blobs=shop.parts.blobs))
    whole = roc_auc_score(table["label"].to_numpy(), table["pages"].to_numpy())
    assert run.leakage.features["pages"] == pytest.approx(whole, abs=0.03)
    assert run.leakage.features["paid"] == 1.0


def test_leaks_are_alerts_until_a_run_is_free_of_them(trained):
    _, _, told, folder = trained
    assert sorted(each.key for each in told) == [
        "leakage/leaky/feature/paid",
        "leakage/leaky/feature/way",
        "leakage/leaky/key/customer",
    ]
    assert {each.subject for each in told} == {"model/leaky"}
    (folder / "shop2.yaml").write_text(CLEAN)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as again:
        run = again.training.train("leaky")
        assert again.training.leaks(run.id).leaks == []
        left = [each.status for each in again.monitoring.alerts() if each.kind == "leakage"]
    assert left == ["closed"] * 3


def test_the_shop_s_own_model_has_none(trained):
    shop = trained[0]
    assert shop.training.leaks(shop.training.train("buys").id).leaks == []


def test_a_refit_shows_the_judged_run_s_and_a_run_on_everything_has_none(trained):
    shop = trained[0]
    spec = learning.read_spec(shop.parts, "buys")
    made = learning.build(shop.parts, spec, learning.resolve(shop.parts, spec)).id
    run, refit = learning.train_with_refit_on(shop.parts, spec, made, period=Period())
    assert refit.leakage is None
    assert shop.training.leaks(refit.id) == run.leakage
    alone = learning.train_on(shop.parts, spec, made, period=Period(everything=True))
    with pytest.raises(NotFoundError, match="TD-TRAIN-012"):
        shop.training.leaks(alone.id)
