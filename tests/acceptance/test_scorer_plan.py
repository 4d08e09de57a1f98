"""The scorer follows the serving plan, and goes on when everything else is gone."""

import http.client
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import scored
from scorer_process import ROW, WAYS, Scorer, Workspace, running, tensors
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.adapters.online.lmdb.store import LmdbStore
from tondo.language.tree import Column
from tondo.scoring.frames import decode
from tondo.scoring.layout import ViewLayout
from tondo.scoring.online import lookup_key, pack_lookup
from tondo.scoring.package import package_digest, seal
from tondo.scoring.plan import PlanPointer


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture(scope="module")
def first():
    return scored.package()


@pytest.fixture(scope="module")
def second():
    return scored.package(bias=1.0)


def wait_for(scorer, condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        status = scorer.get("/v1/status").json
        if condition(status):
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def plan_is(number):
    return lambda status: status["plan"] == number


def version(scorer):
    return scorer.score().json["version"]


@pytest.mark.parametrize("way", WAYS)
def test_a_new_plan_is_followed_without_a_failed_request(workspace, first, second, way):
    workspace.publish(workspace.variant(first))
    with running("--root", workspace.root, way=way) as scorer:
        failures, versions, stop = [], set(), threading.Event()

        def ask_on():
            connection = scorer.connect()
            body = b'{"rows": [%b]}' % __import__("json").dumps(ROW).encode()
            while not stop.is_set():
                connection.request("POST", "/v1/deployments/late/score", body)
                response = connection.getresponse()
                data = response.read()
                if response.status != http.client.OK:
                    failures.append(data)
                versions.add(data.partition(b'"version":')[2][:1])

        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_for(scorer, lambda _: b"1" in versions)
        for number in range(2, 8):
            data = (first, second)[number % 2]
            workspace.publish(workspace.variant(data, version=number))
            wait_for(scorer, plan_is(number))
        wait_for(scorer, lambda _: b"7" in versions or failures)
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert {b"1", b"7"} <= versions


def test_before_the_first_plan_it_says_so_and_then_serves(workspace, first):
    with running("--root", workspace.root) as scorer:
        assert scorer.get("/v2/health/live").status == 200
        assert scorer.get("/v2/health/ready").status == 503
        assert (scorer.score().status, scorer.score().code) == (503, "TD-SCORER-002")
        workspace.publish(workspace.variant(first))
        wait_for(scorer, plan_is(1))
        assert scorer.score().status == 200


def test_a_corrupt_package_is_refused_and_the_old_plan_stays(workspace, first):
    workspace.publish(workspace.variant(first))
    broken = bytearray(first)
    broken[len(broken) // 2] ^= 1
    with running("--root", workspace.root) as scorer:
        workspace.publish(workspace.variant(bytes(broken), version=2))
        status = wait_for(scorer, lambda status: status["problem"])
        assert status["problem"]["code"] == "TD-PACKAGE-001"
        assert (status["plan"], version(scorer)) == (1, 1)
        workspace.publish(workspace.variant(first, version=3))
        assert wait_for(scorer, plan_is(3))["problem"] is None


def test_a_package_whose_samples_differ_is_refused(workspace, first):
    import msgspec

    contents = scored.contents()
    wrong = [msgspec.structs.replace(contents.samples[0], score=0.1)]
    bad = seal(msgspec.structs.replace(contents, samples=wrong))
    workspace.publish(workspace.variant(first))
    with running("--root", workspace.root) as scorer:
        workspace.publish(workspace.variant(bad, version=2))
        status = wait_for(scorer, lambda status: status["problem"])
        assert (status["problem"]["code"], version(scorer)) == ("TD-PACKAGE-003", 1)


def test_a_pointer_with_an_older_number_is_ignored(workspace, first, second):
    workspace.publish(workspace.variant(first), number=5)
    with running("--root", workspace.root) as scorer:
        workspace.publish(workspace.variant(second, version=2), number=4)
        time.sleep(0.5)
        assert scorer.get("/v1/status").json["plan"] == 5
        workspace.publish(workspace.variant(second, version=3), number=6)
        wait_for(scorer, plan_is(6))


def test_a_plan_that_was_lost_is_loaded_once_it_is_back(workspace, first, second):
    workspace.publish(workspace.variant(first))
    with running("--root", workspace.root) as scorer:
        workspace.point(PlanPointer(number=2, digest="ab" * 32))
        wait_for(scorer, lambda status: status["problem"])
        assert version(scorer) == 1
        workspace.publish(workspace.variant(second, version=2), number=3)
        wait_for(scorer, plan_is(3))


def test_scoring_goes_on_when_everything_else_is_gone(workspace, first):
    workspace.publish(workspace.variant(first))
    with running("--root", workspace.root) as scorer:
        shutil.rmtree(workspace.root / "blobs")
        shutil.rmtree(workspace.root / "serving")
        time.sleep(0.3)
        assert version(scorer) == 1
        assert scorer.get("/v2/health/ready").status == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_canary_answers_its_share_and_says_so(workspace, first, second, way):
    workspace.publish(
        workspace.variant(first, name="live", version=1, weight=0.5),
        workspace.variant(second, name="canary", version=2, weight=0.5, tags=()),
    )
    with running("--root", workspace.root, way=way) as scorer:
        body = scorer.score(*[ROW] * 200).json
        names = [each["variant"] for each in body["predictions"]]
        assert 60 < names.count("canary") < 140
        assert body["version"] is None
        assert {each["variant"]: each["version"] for each in body["variants"]} == {
            "live": 1,
            "canary": 2,
        }
        infer = scorer.post("/v2/models/late/infer", {"inputs": tensors(*[ROW] * 50)}).json
        assert set(infer["parameters"]["variants"]) == {"live", "canary"}
        assert scorer.get("/v2/models/late").json["versions"] == ["1", "2"]
        only = scorer.post("/v1/deployments/late/versions/2/score", {"rows": [ROW] * 5}).json
        assert only["variant"] == "canary"


def test_a_version_answers_under_two_names_and_rows_are_counted_to_their_own(
    workspace, first, second
):
    workspace.publish(
        workspace.variant(first, name="live", version=1, weight=0.4),
        workspace.variant(first, name="baseline", version=1, weight=0.3),
        workspace.variant(second, name="candidate", version=2, weight=0.3, tags=()),
    )
    with running("--root", workspace.root) as scorer:
        answers = scorer.score(*[ROW] * 400).json["predictions"]
        names = [each["variant"] for each in answers]
        scores = {(each["variant"] == "candidate", each["score"]) for each in answers}
    assert {
        name: abs(names.count(name) - 400 * share) < 40
        for name, share in [("live", 0.4), ("baseline", 0.3), ("candidate", 0.3)]
    } == dict.fromkeys(names, True)
    assert len(scores) == 2


def test_as_of_is_the_servers_unless_the_plan_says_caller(workspace, first):
    workspace.publish(workspace.variant(first))
    with running("--root", workspace.root) as scorer:
        assert scorer.score(as_of=5).code == "TD-SCORE-006"
        workspace.publish(workspace.variant(first), as_of="caller")
        wait_for(scorer, plan_is(2))
        assert scorer.score(as_of=5).json["as_of"] == "1970-01-01T00:00:00.000005Z"


def test_with_a_key_in_the_workspace_only_its_packages_are_served(workspace, first):
    (workspace.root / "key").write_bytes(b"the workspace's key")
    workspace.publish(workspace.variant(first))
    with running("--root", workspace.root) as scorer:
        status = wait_for(scorer, lambda status: status["problem"])
        assert status["problem"]["code"] == "TD-PACKAGE-004"
        signed = seal(scored.contents(), key=b"the workspace's key")
        workspace.publish(workspace.variant(signed))
        wait_for(scorer, plan_is(2))


@pytest.mark.parametrize("mode", ["written", "synced", "off"])
def test_what_was_answered_is_in_the_log(workspace, first, mode):
    workspace.publish(workspace.variant(first), log_mode=mode)
    with running("--root", workspace.root) as scorer:
        answer = scorer.score(ROW, ROW, purpose="trial").json
        assert answer["log_mode"] == mode
        frames = [
            decode(each)
            for _, each in FilesEventLog(workspace.root / "eventlog").read("predictions/late")
        ]
    if mode == "off":
        assert frames == []
    else:
        (request,) = frames
        assert [row.prediction_id for row in request.rows] == [
            each["id"] for each in answer["predictions"]
        ]
        assert (request.purpose, request.model_version_id) == ("trial", "id-1")


def test_segments_are_closed_on_request_and_at_the_end(workspace, first):
    workspace.publish(workspace.variant(first))
    log = FilesEventLog(workspace.root / "eventlog")
    with running("--root", workspace.root) as scorer:
        scorer.score()
        assert [each.closed for each in log.segments("predictions/late")] == [False]
        closed = scorer.post("/v1/log/roll", {}).json["segments"]["predictions/late"]
        scorer.score()
        assert [each.name for each in log.segments("predictions/late") if each.closed] == closed
    assert [each.closed for each in log.segments("predictions/late")] == [True, True]


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


@pytest.mark.parametrize("way", WAYS)
def test_view_features_are_fetched_as_they_are_materialised(workspace, way):
    data = scored.package(
        inputs={"origin": "string"},
        features={"wind": Column(WIND, "double")},
        views={"weather": LAYOUT},
        view_features=[(WIND, "weather", "wind", "origin")],
        samples=[{"origin": "JFK", WIND: 3.0}],
    )
    store = LmdbStore(workspace.root / "online")

    def materialise(at_us, wind):
        pair = (lookup_key(LAYOUT, "JFK", at_us), pack_lookup(LAYOUT, at_us, {"wind": wind}))
        store.put_many([pair])

    materialise(1_000_000, 10.0)
    workspace.publish(workspace.variant(data), as_of="caller")
    with running("--root", workspace.root, way=way) as scorer:
        before = scorer.score({"origin": "JFK"}, as_of=3_000_000).json
        materialise(2_000_000, 20.0)
        after = scorer.score({"origin": "JFK"}, {"origin": "LGA"}, as_of=3_000_000).json
    store.close()
    assert (before["freshness"], after["freshness"]) == ({"weather": 2.0}, {"weather": 1.0})
    scores = [each["score"] for each in after["predictions"]]
    assert scores[0] > before["predictions"][0]["score"] > scores[1]


def test_a_bare_folder_is_followed_too(tmp_path, first):
    (tmp_path / "late.tondo").write_bytes(first)
    with running("--packages", tmp_path) as scorer:
        (tmp_path / "forest.tondo").write_bytes(scored.package("forest", runtime="lightgbm"))
        wait_for(scorer, lambda status: "forest" in status["deployments"])
        digest = package_digest(first)[:16]
        assert scorer.score().json["model_version_id"] == f"package-{digest}"


def test_the_fast_path_is_the_one_that_answers(workspace, first):
    workspace.publish(workspace.variant(first))
    for way, expected in (("fast", 2), ("starlette", 0)):
        scorer = Scorer("--root", workspace.root, way=way)
        scorer.score()
        scorer.post("/v2/models/late/infer", {"inputs": tensors(ROW)})
        assert scorer.get("/v1/status").json["fast_answers"] == expected
        scorer.stop()
