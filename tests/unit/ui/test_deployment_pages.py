"""Pages of deployments, served whole over a real project: what they say, refuse and change."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from litestar.testing import TestClient

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import write_shop
from tondo.faces.api.app import create_app
from tondo.faces.ui.conditions import condition_views, step_views
from tondo.faces.ui.routes import page_routes
from tondo.faces.ui.traffic import read_weights
from tondo.stages.deployment.guards import Condition
from tondo.workspace.bootstrap import open_workspace

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EVIL = "<script>alert(1)</script>"
PLACE = "/deployments/buys"


class Structure(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def brought_live(folder):
    """A shop with two versions of its model, the first of which answers."""
    opened = open_workspace(write_shop(folder))
    opened.data.commit_source("visits")
    for _ in range(2):
        run = opened.training.train("buys")
        version = opened.registry.register(run.id)
    assert version.number == 2
    opened.deployment.deploy("buys", "1", by="ann", why="the first")
    return opened


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with brought_live(tmp_path_factory.mktemp("live") / "shop") as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(workspace):
    app = create_app(workspace, pages=page_routes())
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=True) as client:
        yield client


@pytest.fixture(autouse=True)
def _at_rest(workspace):
    """Each test begins with version 1 alone."""
    yield
    if workspace.rollouts.running():
        workspace.rollouts.abort("buys")
    workspace.deployment.deploy("buys", "1", by="ann", why="as before")


def shares(workspace):
    (state,) = workspace.deployment.deployments()
    return {each.version: each.weight for each in state.desired.variants}


@pytest.mark.parametrize("place", ["/deployments", PLACE, f"{PLACE}/try"])
@pytest.mark.parametrize("way", ["at rest", "two versions", "a rollout"])
def test_a_page_has_no_inline_script_no_inline_style_unique_ids_and_labels(
    browser, workspace, place, way
):
    if way == "two versions":
        workspace.deployment.traffic("buys", {"v1": 75, "v2": 25})
    if way == "a rollout":
        workspace.rollouts.start("buys", "2", no_shadow=True)
    answer = browser.get(place)
    assert answer.status_code == 200
    tags = Structure(answer.text).tags
    ids = [each["id"] for _, each in tags if each.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {each.get("for") for tag, each in tags if tag == "label"}
    for tag, each in tags:
        assert "style" not in each
        assert not [name for name in each if name.startswith("on")]
        assert tag != "script" or each["src"].startswith("/static/")
        assert tag != "svg" or each.get("aria-label") or each.get("aria-hidden")
        if tag in {"input", "select"}:
            assert each.get("id") in labelled or each.get("aria-label")


def test_the_page_tells_versions_shares_and_history(browser):
    page = browser.get(PLACE).text
    assert "Version 1 answers every request" in page
    assert "<bdi>ann</bdi>: " in page
    assert "No scorer runs on this project" in page
    assert "tondo deployment traffic buys v1=100</code>" in page


def test_the_page_tells_streams_under_their_purpose(browser, workspace):
    assert "<h3>Streams</h3>" not in browser.get(PLACE).text
    row = {"pages": 7.0, "minutes": 12.5, "device": "phone"}
    workspace.streams.push("visits", [{"id": "e1", "row": row}])
    workspace.streams.run("buys", source="visits")
    page = browser.get(PLACE).text
    assert "Purpose <code>stream</code>" in page
    assert re.search(r"<bdi>visits|visits <span class=\"quiet\">stopped", page)
    assert browser.get("/v1/deployments/buys").json()["streams"][0]["figures"]["answers"] == 1


def test_an_empty_list_says_how_to_begin_and_looks_at_no_scorer(tmp_path):
    with (
        open_workspace(tmp_path) as empty,
        TestClient(create_app(empty, pages=page_routes()), base_url="http://127.0.0.1") as client,
    ):
        page = client.get("/deployments").text
    assert "No deployments yet" in page
    assert "tondo model deploy MODEL" in page
    assert "live.js" not in page


def test_an_isolated_deployment_has_live_figures_of_the_whole_and_of_each_variant(
    browser, workspace
):
    workspace.deployment.traffic("buys", {"v1": 75, "v2": 25})
    workspace.deployment.isolate("buys")
    page = browser.get(PLACE).text
    workspace.deployment.isolate("buys", off=True)
    rows = [each for tag, each in Structure(page).tags if tag == "tr" and "data-variant" in each]
    assert [each["data-variant"] for each in rows] == ["*", "v1", "v2"]
    assert "all variants" in page


def test_traffic_that_one_version_alone_can_have_is_not_shared(tmp_path):
    with open_workspace(write_shop(tmp_path / "shop")) as opened:
        opened.data.commit_source("visits")
        opened.registry.register(opened.training.train("buys").id)
        opened.deployment.deploy("buys", "1")
        with TestClient(
            create_app(opened, pages=page_routes()), base_url="http://127.0.0.1"
        ) as client:
            assert 'action="/deployments/buys/traffic' not in client.get(PLACE).text


def test_the_history_tells_a_rollouts_beginning_from_its_resumption(browser, workspace):
    workspace.rollouts.start("buys", "2", no_shadow=True, why="newer")
    workspace.rollouts.pause("buys", why="lunch")
    workspace.rollouts.resume("buys", why="fed")
    told = [each.what for each in workspace.live.deployment("buys").history[:3]]
    assert told == ["rollout resumed", "rollout paused", "rollout started"]


def test_traffic_is_shared_by_the_form(browser, workspace):
    sent = {"share-1": "75", "add-version": "2", "add-share": "25", "why": "a try"}
    answer = browser.post(f"{PLACE}/traffic", data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLACE}#traffic")
    assert shares(workspace) == {1: 0.75, 2: 0.25}
    page = browser.get(PLACE).text
    assert 'name="share-2"' in page
    assert "v1 75 %, v2 25 %" in page


@pytest.mark.parametrize(
    ("sent", "code", "status"),
    [
        ({"share-1": "most"}, "TD-UI-004", 400),
        ({"share-1": "-1"}, "TD-UI-004", 400),
        ({"share-1": "nan"}, "TD-UI-004", 400),
        ({"share-1": "1e9"}, "TD-UI-004", 400),
        ({"share-1": "0"}, "TD-DEPLOY-007", 422),
        ({"share-1": "50", "share-9": "50"}, "TD-REGISTRY-001", 404),
        ({"share-1": "50", "add-version": EVIL, "add-share": "50"}, "TD-REGISTRY-001", 404),
    ],
)
def test_shares_that_are_refused_stay_as_they_were_typed(browser, workspace, sent, code, status):
    answer = browser.post(f"{PLACE}/traffic", data={**sent, "why": EVIL})
    assert answer.status_code == status
    assert code in answer.text
    assert EVIL not in answer.text
    assert f'value="{sent["share-1"]}"' in answer.text
    assert shares(workspace) == {1: 1.0}


def test_a_rollout_is_started_paused_resumed_and_aborted_by_buttons(browser, workspace):
    sent = {"version": "2", "pace": "canary", "no-shadow": "yes", "why": "it is newer"}
    assert browser.post(f"{PLACE}/rollouts", data=sent, follow_redirects=False).status_code == 303
    page = browser.get(PLACE).text
    assert "Version 2 is tried on 1 % of the traffic beside version 1" in page
    assert "A rollout decides the shares" in page
    assert "Answers of the candidate" in page
    for steer, phase in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        browser.post(f"{PLACE}/rollout/{steer}", data={"why": f"to {steer}"})
        assert workspace.rollouts.history("buys")[0].phase == phase
    page = browser.get(PLACE).text
    assert "to abort" in page
    assert "rollout aborted" in page


def test_a_rollout_without_a_shadow_is_refused_beside_its_form(browser):
    answer = browser.post(f"{PLACE}/rollouts", data={"version": "2", "why": "now"})
    assert answer.status_code == 409
    assert "TD-DEPLOY-011" in answer.text
    assert 'value="now"' in answer.text


def test_what_was_changed_is_rolled_back(browser, workspace):
    workspace.deployment.deploy("buys", "2", by="ann", why="newer")
    browser.post(f"{PLACE}/rollback", data={"why": "worse"})
    assert shares(workspace) == {1: 1.0}


@pytest.mark.parametrize(
    ("method", "place", "status", "code"),
    [
        ("GET", "/deployments/bys", 404, "TD-DEPLOY-001"),
        ("GET", "/deployments/<b>", 404, "TD-DEPLOY-001"),
        ("GET", "/deployments/bys/try", 404, "TD-PLAN-004"),
        ("POST", f"{PLACE}/rollout/explode", 404, "TD-WEB-004"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(browser, method, place, status, code):
    answer = browser.request(method, place, headers=FORM if method == "POST" else {})
    assert (answer.status_code, code in answer.text) == (status, True)
    assert "<b>" not in answer.text


@pytest.mark.parametrize("below", ["traffic", "rollouts", "rollout/abort", "rollback", "try"])
def test_what_is_no_form_or_of_another_site_changes_nothing(browser, workspace, below):
    answer = browser.post(f"{PLACE}/{below}", json={"share-1": "0"})
    assert (answer.status_code, "TD-UI-003" in answer.text) == (400, True)
    foreign = {**FORM, "Origin": "http://evil.example"}
    assert browser.post(f"{PLACE}/{below}", headers=foreign).status_code == 403
    assert shares(workspace) == {1: 1.0}


def test_the_try_form_has_a_field_a_column_with_a_row_of_the_training(browser):
    page = browser.get(f"{PLACE}/try").text
    for column in ("pages", "minutes", "device"):
        assert f'name="column-{column}"' in page
    assert re.search(r'name="column-device" value="(phone|desktop)"', page)


def test_trying_without_a_scorer_says_how_to_start_one(browser):
    answer = browser.post(f"{PLACE}/try", data={"column-pages": "3", "column-device": EVIL})
    assert answer.status_code == 404
    assert "TD-LIVE-002" in answer.text
    assert "tondo serve" in answer.text
    assert EVIL not in answer.text
    assert 'value="3"' in answer.text


def test_an_empty_project_says_what_to_do(tmp_path):
    (tmp_path / "project.yaml").write_text("project: small\nowner: me\n")
    with open_workspace(tmp_path) as opened:
        app = create_app(opened, pages=page_routes())
        with TestClient(app, base_url="http://127.0.0.1") as client:
            page = client.get("/deployments").text
    assert "Nothing is deployed yet" in page


def condition(name, status="met", value=0.3, limit=0.75):
    return Condition(name=name, status=status, value=value, limit=limit, why=f"{name} is so")


def test_conditions_are_told_in_their_units():
    views = condition_views(
        [
            condition("seconds_at_share", "unmet", 90.0, 360.0),
            condition("candidate_answers", "met", 2504.0, 2000.0),
            condition("error_share", "violated", 0.2, 0.02),
            condition("latency_p99_ratio", "met", 1.1, 1.5),
            condition("score_psi", "unmet", None, 1.0),
            condition("something_new", "met", 1.0, 2.0),
        ]
    )
    assert [(each.value, each.limit) for each in views] == [
        ("1 min 30 s", "at least 6 min"),
        ("2,504", "at least 2,000"),
        ("20 %", "at most 2 %"),
        ("1.10 \N{MULTIPLICATION SIGN}", "at most 1.50 \N{MULTIPLICATION SIGN}"),
        ("no data yet", "at most 1.00"),
        ("1.00", "at most 2.00"),
    ]
    assert [each.share for each in views] == [25.0, 100, 100, 100, 100, 100]
    assert views[-1].word == "something new"


def test_steps_show_how_far_a_rollout_came(workspace):
    workspace.rollouts.start("buys", "2", no_shadow=True)
    rollout = workspace.rollouts.history("buys")[0]
    assert [each.state for each in step_views(rollout)] == ["now", *["next"] * 4]
    aborted = workspace.rollouts.abort("buys")
    assert step_views(aborted)[0].state == "ended"


def test_weights_are_read_from_a_form():
    sent = {"share-8": "90 ", "share-7": "10%", "share-6": "", "why": "x", "add-version": ""}
    assert read_weights(sent) == {"v8": 90.0, "v7": 10.0}
