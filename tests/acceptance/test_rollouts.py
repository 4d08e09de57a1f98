"""Rollouts on a scorer that runs, under traffic, with versions that are really bad."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from rollout_site import make_shop, register, rows, running_site
from scorer_process import ROW, Workspace, running

pytestmark = pytest.mark.xdist_group("rollouts")  # one site, whose traffic fills a core

RATE = 600
SHARE = 0.05
"""Thirty requests a second for each arm, as three thousand give at one percent."""

FAULTS = {
    "fails": ({"fails": 0.2}, "error_share"),
    "nulls": ({"nulls": 0.2}, "null_share"),
    "shifted": ({"shift": 0.35}, "score_"),
    "slow": ({"slow_products": 3}, "latency_"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "shop"
    first = make_shop(folder, steps=[SHARE, 0.2, 0.3, 0.5])
    with running_site(folder, first) as site:
        yield site


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_candidate_is_sent_back_without_any_alarm_set_up(site, fault):
    worse, guard = FAULTS[fault]
    version = register(site.workspace, site.first, **worse)
    with site.traffic(RATE, 60):
        site.workspace.rollouts.start("buys", str(version.number), no_shadow=True)
        ended = site.rollout_ends(40)
    assert ended is not None
    assert ended.phase == "aborted"
    assert guard in ended.why
    assert ended.touched < 400
    answers = {site.workspace.deployment.predict("buys", row).variants[0].version
               for row in rows(20)}  # fmt: skip
    assert answers == {site.first.number}


def test_a_bad_blue_green_switch_is_taken_back_below_every_hard_limit(site):
    version = register(site.workspace, site.first, fails=0.1)
    with site.traffic(RATE, 60):
        site.workspace.rollouts.start(
            "buys", str(version.number), no_shadow=True, pace="blue_green"
        )
        ended = site.rollout_ends(40)
    assert ended is not None
    assert (ended.phase, "hard" in ended.why, "error_share" in ended.why) == (
        "aborted",
        False,
        True,
    )
    variants = site.workspace.deployment.deployments()[0].desired.variants
    assert [each.version for each in variants] == [site.first.number]


def test_a_control_plane_that_was_killed_goes_on_where_the_log_stood(tmp_path):
    first = make_shop(tmp_path / "shop", steps=[SHARE, 0.5])
    with running_site(tmp_path / "shop", first, looks=False) as site:
        parts = site.workspace.parts
        at = ["--project", str(parts.root), "--advance-rollouts", "--port", "0"]
        version = register(site.workspace, first, fails=0.2)
        planes = []
        with site.traffic(RATE, 60):
            site.workspace.rollouts.start("buys", str(version.number), no_shadow=True)
            planes.append(parts.web_launcher.start(at))
            planes[0].wait_ready(30)
            planes[0].kill()
            planes.append(parts.web_launcher.start(at))
            planes[1].wait_ready(30)
            ended = site.rollout_ends(40)
        planes[1].stop()
    assert ended.phase == "aborted"
    assert "error_share" in ended.why


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_at_three_thousand_requests_a_second_one_percent_is_enough(tmp_path, fault):
    worse, _ = FAULTS[fault]
    first = make_shop(tmp_path / "shop", steps=[0.01, 0.05, 0.2, 0.5])
    with running_site(tmp_path / "shop", first) as site:
        version = register(site.workspace, first, **worse)
        with site.traffic(3_000, 60):
            site.workspace.rollouts.start("buys", str(version.number), no_shadow=True)
            ended = site.rollout_ends(40)
    assert (ended.phase, ended.touched <= 200) == ("aborted", True)


def test_the_same_package_again_goes_on_and_its_status_tells_why(site):
    version = register(site.workspace, site.first)
    with site.traffic(RATE, 60):
        site.workspace.rollouts.start("buys", str(version.number), no_shadow=True)
        assert site.rollout_ends(5) is None
    status = site.workspace.rollouts.status("buys")
    assert (status.current, status.candidate, status.phase) == (1, version.number, "running")
    assert status.conditions[0].name == "published"
    assert {each.name for each in status.conditions if each.status == "violated"} == set()
    assert status.measured.candidate.answers > 50
    ended = site.workspace.rollouts.abort("buys", why="seen enough")
    assert ended.touched >= status.measured.candidate.requests


def test_a_share_of_ten_percent_is_sticky_over_workers_and_restarts(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.publish(
        workspace.variant(scored.package(), weight=0.9),
        workspace.variant(scored.package(bias=1.0), name="candidate", version=2, weight=0.1),
        sticky="tail",
    )

    def arms():
        with running("--root", workspace.root) as scorer:
            asked = [{**ROW, "tail": tail} for tail in range(1_000)]
            return [each["variant"] for each in scorer.score(*asked).json["predictions"]]

    first = arms()
    assert first == arms()
    assert 70 < first.count("candidate") < 130
