"""Verbs on variants and rollouts, on a small shop: what is asked, refused and told."""

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import ROW, bring_live, write_shop
from tondo.core.errors import ConflictError, DefinitionError
from tondo.faces.cli.start import main
from tondo.scoring.plan import read_pointer, write_pointer
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.rollout_loop import RolloutLoop

PACE = """\
deployment: buys
model: buys
rollout: {steps: [0.05, 0.4], min_seconds: 60, min_answers: 10}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("rollouts") / "shop")
    text = (folder / "shop0.yaml").read_text()
    (folder / "shop0.yaml").write_text(text.replace("deployment: buys\nmodel: buys\n", PACE))
    first = bring_live(folder)
    with open_workspace(folder) as shop:
        shop.registry.register(first.run)
    return folder


@pytest.fixture
def shop(folder):
    with open_workspace(folder) as shop:
        yield shop
        if shop.rollouts.running():
            shop.rollouts.abort("buys")
        shop.deployment.traffic("buys", {"1": 1})


def start(shop, **changes):
    return shop.rollouts.start("buys", "2", no_shadow=True, **changes)


def test_a_candidate_that_was_never_a_shadow_is_refused_unless_that_is_said(shop):
    with pytest.raises(ConflictError, match="TD-DEPLOY-011.*tondo shadow start buys 2"):
        shop.rollouts.start("buys", "2")
    assert start(shop).shadow is None


def test_a_shadow_report_opens_the_way_and_is_named(folder):
    with open_workspace(folder) as shop:
        version = shop.registry.version("buys", "2")
        body = {"deployment": "buys", "model_version_id": version.id}
        shop.parts.ledger.put("shadow_report", "report-of-2", body, parents=[])
        assert shop.rollouts.start("buys", "2").shadow == "report-of-2"
        shop.rollouts.abort("buys")


def test_a_preview_tells_steps_and_what_they_find_and_changes_nothing(shop):
    before = shop.parts.ledger.events()
    plan = shop.rollouts.preview("buys", "2")
    steps = [(each.share, each.baseline, each.requests) for each in plan.steps]
    assert steps == [(0.05, 0.05, 200), (0.4, 0.4, 25)]
    assert plan.detects[0].requests == 4
    (bake,) = shop.rollouts.preview("buys", "2", pace="blue_green").steps
    assert (bake.share, bake.baseline, bake.requests) == (0.95, 0.05, 200)
    assert {each.name for each in bake.conditions if not each.aborts} == {
        "seconds_at_share",
        "baseline_answers",
        "candidate_answers",
    }
    assert shop.parts.ledger.events() == before


def test_a_kind_that_is_not_known_lists_those_that_are(shop):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-013.*blue_green"):
        start(shop, pace="bluegreen")


def test_another_kind_has_its_own_steps_and_the_projects_guards(shop):
    rollout = start(shop, pace="linear")
    assert (rollout.steps[0], rollout.min_seconds, rollout.min_answers) == (0.1, 300.0, 10)


def test_pausing_and_resuming_move_no_traffic(shop):
    start(shop)
    number = shop.deployment.reconcile()
    assert shop.rollouts.pause("buys").phase == "paused"
    assert shop.rollouts.pause("buys").phase == "paused"
    assert shop.rollouts.resume("buys").phase == "running"
    assert shop.deployment.reconcile() == number


def test_promoting_by_hand_gives_all_traffic_and_rolling_back_returns_it(shop):
    start(shop)
    shop.rollouts.promote("buys")
    assert shop.deployment.predict("buys", ROW).variants[0].version == 2
    shop.deployment.rollback("buys")
    assert shop.deployment.predict("buys", ROW).variants[0].version == 1


def test_a_status_tells_versions_share_and_the_conditions_in_their_order(shop):
    start(shop)
    step = shop.rollouts.advance("buys")
    status = shop.rollouts.status("buys")
    assert (status.desired, status.candidate, status.current, status.share) == (2, 2, 1, 0.05)
    assert [each.name for each in status.conditions[:2]] == ["published", "seconds_at_share"]
    assert (status.conditions[0].status, status.reason) == ("met", step.reason)
    shop.rollouts.abort("buys", why="enough")
    at_rest = shop.rollouts.status("buys")
    assert (at_rest.desired, at_rest.candidate, at_rest.phase) == (1, None, "aborted")
    assert at_rest.reason == "enough"


def test_rows_that_fit_a_target_go_to_the_candidate(shop):
    start(shop, target=["device=tablet"])
    row = {**ROW, "device": "tablet"}
    answers = {shop.deployment.predict("buys", row).variants[0].version for _ in range(5)}
    assert answers == {2}


def test_a_target_on_no_column_of_the_request_is_refused_and_nothing_starts(shop):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-009.*'device'"):
        start(shop, target=["divice=tablet"])
    assert shop.rollouts.running() == []


def test_whoever_looks_next_counts_the_same_from_the_log(folder, shop):
    start(shop)
    for _ in range(40):
        shop.deployment.predict("buys", ROW)
    shop.rollouts.advance("buys")
    first = shop.rollouts.status("buys").measured
    with open_workspace(folder) as other:
        other.rollouts.advance("buys")
        again = other.rollouts.status("buys").measured
    assert first.requests == 40
    assert msgspec.structs.replace(again, at_us=first.at_us) == first


def test_a_step_that_the_scorers_were_not_told_is_told_at_the_next_look(shop):
    before = read_pointer(shop.parts.plan_pointer)
    start(shop)
    told = read_pointer(shop.parts.plan_pointer)
    write_pointer(shop.parts.plan_pointer, before)
    assert shop.rollouts.status("buys").conditions[0].status == "unmet"
    RolloutLoop(shop).look()
    assert read_pointer(shop.parts.plan_pointer) == told


def test_a_log_that_cannot_be_read_stops_the_look_at_one_rollout_and_not_the_loop(shop, caplog):
    start(shop)
    appender = shop.parts.eventlog.appender("predictions/buys", "broken", durability="written")
    appender.append(b"no frame of a request")
    RolloutLoop(shop).look()
    assert "TD-LOG-004" in caplog.text
    assert shop.rollouts.running() == ["buys"]
    assert shop.rollouts.abort("buys").phase == "aborted"


def test_traffic_is_shared_by_ratios_and_said_again_changes_nothing(shop):
    state = shop.deployment.traffic("buys", {"v1": 90, "v2": 10})
    assert [(each.name, each.weight) for each in state.desired.variants] == [
        ("v1", 0.9),
        ("v2", 0.1),
    ]
    assert shop.deployment.traffic("buys", {"2": 1, "1": 9}).id == state.id


@pytest.mark.parametrize("weights", [{}, {"1": 0}, {"1": -1, "2": 2}, {"1": float("inf")}])
def test_weights_that_share_nothing_are_refused(shop, weights):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-007"):
        shop.deployment.traffic("buys", weights)


def test_one_version_under_two_names_is_refused(shop):
    with pytest.raises(DefinitionError, match="TD-DEPLOY-007"):
        shop.deployment.traffic("buys", {"1": 1, "v1": 1})


def test_the_last_look_of_another_step_is_not_shown(shop):
    rollout = start(shop)
    shop.rollouts.advance("buys")
    path = shop.parts.state / "serving" / "rollouts" / "buys.json"
    kept = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**kept, "step": 1}))
    assert shop.rollouts.status("buys").share == rollout.desired
    path.write_bytes(b"{")
    assert shop.rollouts.status("buys").phase == "running"


def test_a_plan_is_told_in_words_with_every_step_and_condition_whole(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    before = len(history(folder))
    assert main(["rollout", "start", "buys", "2", "--plan", "--project", str(folder)]) == 0
    told = capsys.readouterr().out
    for said in ("1 -> 2, canary", "a shadow", "5 %", "1 min", "200 requests"):
        assert said in told
    for condition in preview_of(folder).steps[0].conditions:
        assert not condition.aborts or f"  {condition.name} " in told
    assert "\N{HORIZONTAL ELLIPSIS}" not in told
    assert "is beyond" not in told
    assert len(history(folder)) == before


def test_a_plan_as_json_is_whole(folder, capsys):
    words = ["rollout", "start", "buys", "2", "--plan", "--json", "--project", str(folder)]
    assert main(words) == 0
    told = msgspec.json.decode(capsys.readouterr().out)["present"]
    assert told == msgspec.json.decode(msgspec.json.encode(preview_of(folder)))


def history(folder):
    with open_workspace(folder) as shop:
        return shop.rollouts.history("buys")


def preview_of(folder):
    with open_workspace(folder) as shop:
        return shop.rollouts.preview("buys", "2")
