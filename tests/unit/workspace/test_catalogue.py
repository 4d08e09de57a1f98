"""The catalogue of a project: who uses what, how it is distributed, and use by another project."""

from __future__ import annotations

import pytest

from shop import HABITS, write_shop
from tondo.adapters.clocks.manual import ManualClock
from tondo.core.errors import DefinitionError
from tondo.core.instants import parse_instant
from tondo.workspace.bootstrap import open_workspace

REGULARS = """\
model: regulars
owner: ana
description: The same question, knowing what the customer did before.
source: visits
row_id: visit
time: at
label: bought
label_known_at: ended_at
algorithm: logistic
split: {by: time, validation: 0.25}
features: {before: "fill_mean(@habits.visits_7d)", pages: pages}
gate: {thresholds: {auc: {min: 0.5}}}
"""
ACTIVITY = """\
view: activity
entity: customer
source: visits
owner: bo
description: How busy a customer is.
freshness: 1d
arrival: pushed
deprecated: {visits: use @habits.visits_7d}
features: {visits: count(*) over 7d}
"""
NOW_US = parse_instant("2026-02-26T00:00:00Z")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("catalogue") / "shop", HABITS, REGULARS)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        opened.features.sync_definitions(by="ana")
        yield opened


@pytest.fixture(scope="module")
def live(shop):
    run = shop.training.train("regulars")
    version = shop.registry.register(run.id, by="ana", why="first")
    shop.deployment.deploy("regulars", str(version.number), name="front", by="ana", why="passed")
    return shop


def test_a_feature_names_the_models_and_deployments_that_read_it(live):
    (use,) = live.features.feature("habits.visits_7d").uses
    assert (use.model, use.defined, use.versions, use.deployments) == (
        "regulars",
        True,
        (1,),
        ("front",),
    )


def test_features_are_found_by_the_deployment_that_answers_with_them(live):
    assert [each.name for each in live.features.catalogue(used_by="front")] == ["@habits.visits_7d"]


def test_the_distribution_is_that_of_the_last_materialisation(shop):
    shop.features.materialise("habits")
    entry = shop.features.feature("habits.visits_7d")
    counted = shop.data.sql(
        "select customer, count(*) filter (where visits.at >= timestamptz '2026-02-19 00:00:00Z') as n"
        " from visits group by customer"
    )
    values = [each["n"] for each in counted]
    assert entry.distribution["mean"] == pytest.approx(sum(values) / len(values), rel=1e-9)
    assert (entry.distribution["min"], entry.distribution["max"]) == (min(values), max(values))
    assert entry.measured_at_us == NOW_US


def test_a_new_feature_that_is_there_already_is_pointed_at_and_so_is_a_deprecated_one(tmp_path):
    readers = REGULARS.replace("@habits.visits_7d", "@activity.visits")
    folder = write_shop(tmp_path / "shop", HABITS, ACTIVITY, readers)
    with open_workspace(folder, clock=ManualClock(NOW_US)) as opened:
        opened.data.commit_source("visits", by="ana", why="first load")
        changes = opened.features.sync_definitions(by="ana")
        again = opened.features.sync_definitions(by="ana")
    told = "feature @activity.visits computes what @habits.visits_7d does: use that one"
    gone = "feature @activity.visits is deprecated (use @habits.visits_7d) and read by regulars"
    assert [told in changes, gone in changes] == [True, True]
    assert again == [gone]


def second(folder, uses, *more):
    folder.mkdir()
    text = f"project: second\nuses: {uses}\n"
    (folder / "project.yaml").write_text("---\n".join([text, *more]))
    return open_workspace(folder, clock=ManualClock(NOW_US))


def test_a_second_project_uses_a_view_by_name_and_copies_nothing(shop, tmp_path):
    where = f"{{{shop.parts.root}: [habits]}}"
    with second(tmp_path / "second", where, REGULARS) as other:
        other.data.commit_source("visits", by="bo", why="the same rows")
        other.features.sync_definitions(by="bo")
        assert [each.name for each in other.features.catalogue(words="visits customer")] == [
            "@habits.visits_7d"
        ]
        assert other.features.view("habits").digest == shop.features.view("habits").digest
        assert other.training.train("regulars").rows.training > 500


@pytest.mark.parametrize(
    ("uses", "what"),
    [
        ("{../nowhere: [habits]}", "no folder '../nowhere'"),
        ("{../shop: [habit]}", "no view 'habit'.*Did you mean 'habits'"),
        ("{../shop: habits}", "lists no views"),
        ("[../shop]", "TD-PROJECT-005.*`uses` is no mapping"),
    ],
)
def test_what_another_project_does_not_have_is_refused_by_name(tmp_path, uses, what):
    write_shop(tmp_path / "shop", HABITS)
    with pytest.raises(DefinitionError, match=what), second(tmp_path / "second", uses) as other:
        other.features.sync_definitions()


def test_a_used_name_that_is_defined_again_is_refused_with_both_places(tmp_path):
    write_shop(tmp_path / "shop", HABITS)
    with (
        pytest.raises(DefinitionError, match=r"TD-PROJECT-003.*'habits'.*\.\./shop/shop1\.yaml"),
        second(tmp_path / "second", "{../shop: [habits]}", HABITS) as other,
    ):
        other.features.sync_definitions()


def test_the_page_holds_every_feature_with_who_reads_it(live):
    from tondo.workspace.feature_pages import Asked, features_page

    live.features.materialise("habits")
    page = features_page(live, Asked(words="visits"), page=9)
    assert [(each.entry.name, each.statistics.rows) for each in page.rows] == [
        ("@habits.visits_7d", 100)
    ]
    assert (page.page, page.pages, page.found, page.models) == (1, 1, 1, ["regulars"])
