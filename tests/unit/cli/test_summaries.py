"""What commands show of large values: what a person asks first; JSON keeps every field."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from shop import write_shop
from tondo.faces.cli.start import main
from tondo.faces.cli.summaries import summarised
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.live.values import LiveView, ScorerState, VariantRate, WorkerState


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A shop with two versions, the first of which answers."""
    made = write_shop(tmp_path_factory.mktemp("shop"))
    with open_workspace(made) as shop:
        shop.data.commit_source("visits")
        for _ in range(2):
            shop.registry.register(shop.training.train("buys").id)
        shop.deployment.deploy("buys", "1", by="ann", why="the first")
    return made


@pytest.fixture
def shown(folder, capsys):
    """Run a command that must succeed and return what a person sees."""

    def run(*words):
        assert main([*words, "--project", str(folder)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def test_deployments_are_listed_by_name_with_their_shares(shown):
    told = shown("deployment", "list")
    assert "v1 100 %" in told
    assert "ann" in told
    assert json.loads(shown("deployment", "list", "--json"))[0]["desired"]["name"] == "buys"


def test_a_deployment_is_shown_with_variants_and_history(shown):
    told = shown("deployment", "show", "buys")
    assert "accepted AUC" in told
    assert "variant picked by" in told
    assert "deployed" in told


def test_a_rollout_is_told_in_a_few_lines_from_start_to_end(shown):
    started = shown("rollout", "start", "buys", "2", "--no-shadow")
    assert "v1 \N{RIGHTWARDS ARROW} v2" in started
    assert "1 %, 5 %, 20 %, 50 %" in started
    assert len(started.splitlines()) < 12
    status = shown("rollout", "status", "buys")
    assert "1 % of the traffic, running" in status
    assert "at least 5 min" in status
    shown("rollout", "abort", "buys", "--why", "enough")
    assert "aborted" in shown("rollout", "list", "buys")


def test_a_shadows_end_is_told_in_words(shown):
    assert "running" in shown("shadow", "start", "buys", "2")
    assert "Planned; nothing was done" in shown("shadow", "stop", "buys", "2", "--plan")
    assert "buys version 2 beside buys" in shown("shadow", "stop", "buys", "2")
    assert "stopped" in shown("shadow", "list")


def test_a_look_at_scorers_has_units():
    worker = WorkerState(pid=7, ready=True, plan=3, memory_bytes=65_000_000, uptime_s=1.0)
    view = LiveView(
        at_us=0,
        scorers=[ScorerState(address="http://127.0.0.1:8461", workers=[worker])],
        rates=[VariantRate(deployment="late", variant="", requests_s=7.8675)],
    )
    told = summarised(view)
    assert told["scorers"][0]["memory"] == "65 MB"
    assert told["rates"][0]["requests/s"] == 7.87
    assert summarised([3, "x"]) == [3, "x"]
