"""A workspace whose online store is a Redis: the same verbs, and a scorer that reads it."""

import json
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from redis_process import SERVER, WHY_NOT, running_redis
from scorer_process import running
from shop import HABITS, write_shop
from tondo.core.errors import OutsideError
from tondo.workspace.bootstrap import open_workspace

REGULARS = """\
model: regulars
owner: ana
description: Do those who come often buy?
source: visits
row_id: visit
time: at
label: bought
label_known_at: ended_at
algorithm: logistic
split: {by: time, validation: 0.25}
features: {often: "zscore(fill_mean(@habits.visits_7d))", minutes: zscore(fill_mean(minutes))}
---
deployment: regulars
model: regulars
"""
ROW = {"customer": "c07", "minutes": 12.5}


@pytest.fixture
def redis(tmp_path, monkeypatch):
    if SERVER is None:
        pytest.skip(WHY_NOT)
    (tmp_path / "redis").mkdir()
    monkeypatch.setenv("REDIS_PASSWORD", "hunter2")
    with running_redis(tmp_path / "redis", password="hunter2") as server:
        yield server


def shop_on(redis, folder, **settings):
    write_shop(folder, HABITS, REGULARS)
    address = f"redis://:${{REDIS_PASSWORD}}@127.0.0.1:{redis.port}/0?namespace=shop"
    path = folder / "shop0.yaml"
    body = json.dumps({"online_store": address, **settings})
    path.write_text(path.read_text().replace("---", f"settings: {body}\n---", 1))
    return folder


def event(visit, at_us):
    return {"visit": visit, "customer": "c07", "at": at_us, "ended_at": at_us + 1, "bought": True}


def bring_live(folder):
    with open_workspace(folder) as shop:
        shop.data.commit_source("visits")
        shop.features.sync_definitions()
        shop.features.materialise("habits")
        version = shop.registry.register(shop.training.train("regulars").id)
        shop.deployment.deploy("regulars", str(version.number))


def seen(folder):
    with open_workspace(folder) as shop:
        return shop.features.read_online("habits", ["c07"])[0]["visits_7d"]


def test_scores_follow_what_is_pushed_to_redis(redis, tmp_path):
    folder = shop_on(redis, tmp_path / "shop")
    bring_live(folder)
    with open_workspace(folder) as shop, running("--root", folder / ".tondo") as scorer:
        before = scorer.score(ROW, name="regulars").json["predictions"][0]["score"]
        now_us = shop.parts.clock.now_us()
        receipt = shop.features.push("habits", [event(f"n{at}", now_us - at) for at in range(9)])
        after = scorer.score(ROW, name="regulars").json["predictions"][0]["score"]
        own = shop.deployment.predict("regulars", ROW)
    assert receipt.accepted == 9
    assert before != after == own.predictions[0].score
    assert not (folder / ".tondo" / "online").exists()


def test_a_scorer_refuses_while_redis_is_gone_and_goes_on_by_itself(redis, tmp_path):
    folder = shop_on(redis, tmp_path / "shop")
    bring_live(folder)
    with running("--root", folder / ".tondo") as scorer:
        good = scorer.score(ROW, name="regulars")
        redis.kill()
        refused = scorer.score(ROW, name="regulars")
        with pytest.raises(OutsideError, match="TD-ONLINE-101") as caught:
            seen(folder)
        redis.start()
        time.sleep(1.1)
        again = scorer.score(ROW, name="regulars")
    assert (good.status, refused.status, refused.code) == (200, 503, "TD-ONLINE-101")
    assert again.json["predictions"][0]["score"] == good.json["predictions"][0]["score"]
    assert "hunter2" not in f"{refused.body} {caught.value.to_json()}"


def test_with_the_declared_fallback_it_scores_without_view_features(redis, tmp_path):
    folder = shop_on(redis, tmp_path / "shop", online_fallback="null")
    bring_live(folder)
    redis.kill()
    with running("--root", folder / ".tondo") as scorer:
        answer = scorer.score(ROW, name="regulars")
    redis.start()
    assert (answer.status, answer.json["freshness"]) == (200, {"habits": None})


def test_no_file_of_the_workspace_holds_the_password(redis, tmp_path):
    folder = shop_on(redis, tmp_path / "shop")
    bring_live(folder)
    held = [
        each for each in folder.rglob("*") if each.is_file() and b"hunter2" in each.read_bytes()
    ]
    assert held == []
    with open_workspace(folder) as shop:
        found = {each.name: each for each in shop.flow.doctor()}
    assert found["online store"].ok
    assert "hunter2" not in str(found) and "(hidden)" in found["settings"].detail
