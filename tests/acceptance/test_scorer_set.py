"""Scorers with working folders of their own behind a load balancer: what they share, and no more."""

import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import redis_process
import scored
from scorer_process import Workspace, running
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.core.canonical import canonical_json
from tondo.core.settings import ONLINE_SETTINGS
from tondo.language.tree import Column
from tondo.scoring.frames import decode
from tondo.scoring.layout import ViewLayout
from tondo.scoring.online import lookup_key, pack_lookup

LAYOUT = ViewLayout(
    view="weather",
    version="00000000",
    kind="lookup",
    entity="airport",
    key="origin",
    key_type="string",
    features={"wind": "double"},
    freshness_us=3_600_000_000,
)
WIND = "@weather.wind[origin]"


def package(bias=0.0):
    return scored.package(
        bias=bias,
        inputs={"origin": "string"},
        features={"wind": Column(WIND, "double")},
        views={"weather": LAYOUT},
        view_features=[(WIND, "weather", "wind", "origin")],
        samples=[{"origin": "JFK", WIND: 3.0}],
    )


def materialise(store, wind):
    at_us = 1_000_000
    store.put_many([(lookup_key(LAYOUT, "JFK", at_us), pack_lookup(LAYOUT, at_us, {"wind": wind}))])


@pytest.fixture
def shared(tmp_path):
    workspace = Workspace(tmp_path / "shared")
    workspace.publish(workspace.variant(package()), as_of="caller")
    return workspace


def check_set(shared, nodes):
    """Both answer alike, follow the plan alike, and log what they answered themselves."""
    arguments = [("--root", node, "--shared", shared.root) for node in nodes]
    with running(*arguments[0]) as first, running(*arguments[1]) as second:
        answers = [each.score({"origin": "JFK"}, as_of=2_000_000) for each in (first, second)]
        assert [each.status for each in answers] == [200, 200], answers[0].body
        assert len({each.json["predictions"][0]["score"] for each in answers}) == 1
        number = shared.publish(shared.variant(package(bias=1.0), version=2), as_of="caller")
        for scorer in (first, second):
            deadline = time.monotonic() + 30
            while scorer.get("/v1/status").json["plan"] != number:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert scorer.score({"origin": "JFK"}, as_of=2_000_000).json["version"] == 2
    for node, answer in zip(nodes, answers, strict=True):
        frames = [
            decode(each) for _, each in FilesEventLog(node / "eventlog").read("predictions/late")
        ]
        assert frames[0].rows[0].prediction_id == answer.json["predictions"][0]["id"]
        assert len(frames) == 2


def test_two_scorers_with_copies_of_the_online_store(tmp_path, shared):
    nodes = [tmp_path / name for name in ("one", "two")]
    store = LmdbStore(nodes[0] / "online")
    materialise(store, 10.0)
    store.close()
    shutil.copytree(nodes[0] / "online", nodes[1] / "online")
    check_set(shared, nodes)


@pytest.mark.skipif(redis_process.SERVER is None, reason=redis_process.WHY_NOT)
def test_two_scorers_with_one_redis(tmp_path, shared):
    from tondo.adapters.online.redis.store import RedisStore

    with redis_process.running_redis(tmp_path) as server:
        store = RedisStore(server.address)
        materialise(store, 10.0)
        store.close()
        (shared.root / ONLINE_SETTINGS).write_bytes(
            canonical_json({"online_store": server.address})
        )
        nodes = [tmp_path / name for name in ("one", "two")]
        for node in nodes:
            node.mkdir()
        check_set(shared, nodes)


def test_a_shared_folder_that_is_not_there_is_named(tmp_path):
    from tondo.core.errors import PlatformError

    with (
        pytest.raises(PlatformError, match="TD-SCORER-005.*gone"),
        running("--root", tmp_path, "--shared", tmp_path / "gone"),
    ):
        pass
