"""Many models in one scorer: a memory budget, cold models, broken ones, and large requests."""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from bare_sessions import measured_memory
from scorer_process import ROW, WAYS, Workspace, running
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.scoring.frames import decode
from tondo.scoring.plan import PlannedDeployment

NAMES = [f"m{number}" for number in range(8)]


BUDGET = ("--memory", 3)
"""Each model has 0.6 MB of text and takes about as much: one fits, all do not."""


@pytest.fixture(scope="module")
def packages():
    return {
        name: scored.package(
            name, runtime="lightgbm", text=scored.forest_text(4, 200, 31, seed=number)
        )
        for number, name in enumerate(NAMES)
    }


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def planned(workspace, packages, **changes):
    return [
        PlannedDeployment(name=name, variants=[workspace.variant(data)], **changes)
        for name, data in packages.items()
    ]


def models(scorer):
    return scorer.get("/v1/status").json["models"]


def settled(scorer):
    """What is told once models that were let go are closed."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        told = models(scorer)
        if told["bytes"] <= told["most_bytes"]:
            return told
        time.sleep(0.05)
    raise AssertionError(told)


@pytest.mark.parametrize("way", WAYS)
def test_within_a_budget_every_model_answers_and_the_coldest_goes(workspace, packages, way):
    workspace.publish_all(*planned(workspace, packages))
    with running("--root", workspace.root, *BUDGET, way=way) as scorer:
        begun = models(scorer)
        assert begun["cold"], begun
        scores = {}
        for _ in range(2):
            for name in NAMES:
                answer = scorer.score(name=name)
                assert answer.status == 200
                scores.setdefault(name, set()).add(answer.json["predictions"][0]["score"])
        after = settled(scorer)
    assert all(len(each) == 1 for each in scores.values())
    assert len({each.pop() for each in scores.values()}) == len(NAMES)
    assert after["most_bytes"] == 3 << 20
    assert after["evictions"] > 0
    assert NAMES[-1] in after["resident"]
    assert after["failed"] == {}


def test_callers_of_a_cold_model_wait_for_one_load(workspace, packages):
    workspace.publish_all(*planned(workspace, packages))
    with running("--root", workspace.root, *BUDGET) as scorer:
        cold = settled(scorer)["cold"][-1]
        before = models(scorer)["loads"]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: scorer.score(name=cold).status, range(6)))
        assert answers == [200] * 6
        assert models(scorer)["loads"] == before + 1
        assert scorer.get(f"/v2/models/{cold}").status == 200


def test_versions_that_nobody_asks_for_go_first(workspace, packages):
    first, second = scored.package("late"), scored.package("late", bias=1.0)
    late = PlannedDeployment(
        name="late",
        variants=[workspace.variant(first, version=1)],
        addressable=[workspace.variant(second, name="v2", version=2, tags=("best",))],
    )
    workspace.publish_all(late, *planned(workspace, packages))
    with running("--root", workspace.root, *BUDGET) as scorer:
        assert "late/v2" in models(scorer)["cold"]
        for reference in ("2", "best", "id-2"):
            answer = scorer.post(
                f"/v1/deployments/late/versions/{reference}/score", {"rows": [ROW]}
            )
            assert answer.json["version"] == 2
        unknown = scorer.post("/v1/deployments/late/versions/7/score", {"rows": [ROW]})
        assert (unknown.status, unknown.code) == (404, "TD-PLAN-003")


def test_a_package_that_is_broken_from_the_start_keeps_no_other_from_answering(workspace, packages):
    broken = bytearray(packages["m1"])
    broken[len(broken) // 2] ^= 1
    workspace.publish_all(*planned(workspace, {**packages, "m1": bytes(broken)}))
    with running("--root", workspace.root) as scorer:
        assert scorer.score(name="m0").status == 200
        refused = scorer.score(name="m1")
        assert (refused.status, refused.code) == (422, "TD-PACKAGE-001")
        status = scorer.get("/v1/status").json
        assert status["problem"]["code"] == "TD-PACKAGE-001"
        assert status["models"]["failed"] == {"m1": "TD-PACKAGE-001"}


def test_a_model_larger_than_the_budget_is_refused_and_the_old_one_goes_on(workspace, packages):
    large = scored.package("large", runtime="lightgbm", text=scored.forest_text(4, 3000, 31))
    workspace.publish_all(*planned(workspace, {"m0": packages["m0"]}))
    with running("--root", workspace.root, *BUDGET) as scorer:
        both = {"m0": packages["m0"], "large": large}
        workspace.publish_all(*planned(workspace, both))
        for _ in range(200):
            problem = scorer.get("/v1/status").json["problem"]
            if problem:
                break
            time.sleep(0.05)
        assert problem["code"] == "TD-SCORER-014"
        assert scorer.score(name="m0").status == 200


@pytest.mark.long
def test_a_hundred_models_take_at_most_twice_their_bare_memory(tmp_path):
    (ours_two, ours), (bare_two, bare) = measured_memory(tmp_path, 100)
    print(f"scorer {ours / 2**20:.1f} MB, bare sessions {bare / 2**20:.1f} MB")
    assert ours <= 2 * bare
    assert ours - ours_two <= 2 * (bare - bare_two)


@pytest.fixture(scope="module")
def slow():
    return scored.package("slow", runtime="lightgbm", text=scored.forest_text(4, 3000, 31))


@pytest.mark.parametrize("way", WAYS)
def test_large_requests_are_answered_aside_with_the_same_scores(workspace, slow, way):
    workspace.publish_all(*planned(workspace, {"slow": slow}))
    rows = [{**ROW, "distance": float(distance)} for distance in range(0, 4000, 20)]
    with running("--root", workspace.root, way=way) as scorer:
        with ThreadPoolExecutor(4) as pool:
            large = list(pool.map(lambda _: scorer.score(*rows, name="slow"), range(4)))
        single = [scorer.score(row, name="slow").json["predictions"][0] for row in rows[:40]]
        status = scorer.get("/v1/status").json
    assert {each.status for each in large} == {200}
    found = [[row["score"] for row in each.json["predictions"]] for each in large]
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0][:40] == [each["score"] for each in single]
    assert status["counters"]["slow/rows"]["predictions"] == 4 * 200 + 40
    log = FilesEventLog(workspace.root / "eventlog")
    frames = [decode(payload) for _, payload in log.read("predictions/slow")]
    logged = {row.prediction_id for frame in frames for row in frame.rows}
    assert {row["id"] for each in large for row in each.json["predictions"]} <= logged
    assert len(frames) == 44


def test_one_row_requests_do_not_wait_for_large_ones(workspace, packages, slow):
    """The large request takes some 0.1 s; on the loop it would stand in everybody's way."""
    workspace.publish_all(*planned(workspace, {"m0": packages["m0"], "slow": slow}))
    body = json.dumps({"rows": [ROW] * 1000}).encode()
    with running("--root", workspace.root) as scorer:
        ended = threading.Event()

        def ask_large():
            for _ in range(3):
                scorer.post("/v1/deployments/slow/score", body)
            ended.set()

        large = threading.Thread(target=ask_large)
        large.start()
        answered = 0
        while not ended.is_set():
            assert scorer.score(name="m0").status == 200
            answered += 1
        large.join()
    assert answered > 10
