"""A row tried through a real scorer, with a feature read online, and why it got its score."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import HABITS, write_shop
from tondo.core.errors import CallerError
from tondo.stages.monitoring.predictions import read_predictions
from tondo.workspace.bootstrap import open_workspace

TREES = """\
model: buys_trees
owner: ana
description: The same question asked of trees, and of habits.
source: visits
row_id: visit
time: at
label: bought
algorithm: lightgbm
parameters: {trees: 20, leaves: 7}
split: {by: time, validation: 0.25}
features: {pages: pages, minutes: minutes, device: "vocab(device, 5)", often: "@habits.visits_7d"}
---
deployment: buys_trees
model: buys_trees
as_of: caller
"""
ROW = {"pages": 7.0, "minutes": 12.5, "device": "phone", "customer": "c20"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("try") / "shop", HABITS, TREES)
    with open_workspace(folder) as opened:
        opened.data.commit_source("visits")
        opened.features.sync_definitions()
        now = datetime.now(tz=UTC)
        visits = [
            {
                "visit": f"p{hours}",
                "customer": "c20",
                "at": (now - timedelta(hours=hours)).isoformat(),
            }
            for hours in (1, 30, 300)
        ]
        opened.features.push("habits", visits)
        version = opened.registry.register(
            opened.training.train("buys_trees").id, override="a test of pages"
        )
        opened.deployment.deploy("buys_trees", str(version.number))
        parts = opened.parts
        scorer = parts.launcher.start(["--root", str(parts.state), "--port", "0"])
        scorer.wait_ready(60)
        yield opened
        scorer.stop()


def test_the_answer_is_the_scorers_and_the_explanation_adds_up_to_it(shop):
    answer = shop.live.try_row("buys_trees", ROW)
    why = answer.explanation
    assert (answer.variant, answer.version, answer.unexplained) == ("live", 1, "")
    assert "habits" in answer.freshness
    assert why.score == answer.score
    raw = why.expected + math.fsum(each.effect for each in why.effects)
    assert math.isclose(1 / (1 + math.exp(-raw)), answer.score, rel_tol=1e-9)
    assert {each.feature: each.word for each in why.effects}["device"] == "phone"
    assert why.read["@habits.visits_7d[customer]"] == 2


def test_a_tried_row_is_logged_and_is_not_live(shop):
    answer = shop.live.try_row("buys_trees", ROW)
    assert shop.monitoring.prediction(answer.prediction_id).purpose == "try"
    log = shop.parts.predictions("buys_trees")
    assert read_predictions(log).num_rows == 0
    assert read_predictions(log, purpose="try").num_rows > 0


def test_an_explanation_alone_asks_no_scorer_and_logs_nothing(shop):
    log = shop.parts.predictions("buys_trees")
    before = read_predictions(log, purpose=None).num_rows
    first = shop.live.explain("buys_trees", ROW, version="1")
    assert first == shop.live.explain("buys_trees", ROW)
    assert first != shop.live.explain("buys_trees", ROW, as_of="2026-02-25T12:00:00Z")
    assert read_predictions(log, purpose=None).num_rows == before


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({**ROW, "pages": "many"}, "TD-SCORE-002"),
        ({**ROW, "colour": "red"}, "TD-SCORE-003"),
        ({"pages": 1.0}, "TD-SCORE-001"),
    ],
)
def test_what_a_scorer_refuses_is_refused_alike(shop, row, code):
    with pytest.raises(CallerError, match=code) as tried:
        shop.live.try_row("buys_trees", row)
    with pytest.raises(CallerError, match=code) as explained:
        shop.live.explain("buys_trees", row)
    assert tried.value.fields["field"].endswith(explained.value.fields["field"])
