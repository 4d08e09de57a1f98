"""Models in processes of their own: answered as all others, and nobody else's misfortune."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import looping
import scored
from scorer_process import ROW, WAYS, Workspace, running, tensors
from tondo.adapters.eventlog.files.log import FilesEventLog
from tondo.scoring.frames import decode
from tondo.scoring.plan import PlannedDeployment

PATIENCE_S = 60


@pytest.fixture(scope="module")
def packages():
    return {"a": scored.package("a"), "b": scored.package("b", bias=1.0)}


def publish(workspace, packages, **isolated):
    workspace.publish_all(
        *(
            PlannedDeployment(
                name=name,
                variants=[workspace.variant(data)],
                **(isolated if name == "b" else {}),
            )
            for name, data in packages.items()
        )
    )


def until(ask, condition):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = ask()
        if condition(found):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def answered(scorer, name="b"):
    return until(lambda: scorer.score(name=name), lambda answer: answer.status == 200)


def told_of_b(scorer):
    """Return what is known of the isolated process, {} when nothing is yet."""
    told = scorer.get("/v1/status").json["processes"] or {}
    return told.get("isolated", {}).get("b", {})


def isolated(scorer):
    return until(lambda: told_of_b(scorer), lambda told: told and told["pid"])


@pytest.mark.parametrize("way", WAYS)
def test_an_isolated_model_answers_in_every_shape_and_logs(tmp_path, packages, way):
    workspace = Workspace(tmp_path)
    publish(workspace, packages, isolate="process")
    with running("--root", tmp_path, way=way) as scorer:
        answer = answered(scorer)
        assert answer.json["deployment"] == "b"
        infer = scorer.post("/v2/models/b/infer", {"inputs": tensors(ROW)})
        score = answer.json["predictions"][0]["score"]
        assert infer.json["outputs"][0]["data"] == [score]
        instances = scorer.post("/v1/models/b:predict", {"instances": [ROW]})
        assert instances.json["predictions"][0] in (score, [score])
        assert scorer.get("/v2/models/b").json["versions"] == ["1"]
        refused = scorer.post("/v1/deployments/b/score", {"rows": [{}]})
        assert (refused.status, refused.code) == (400, "TD-SCORE-001")
        assert scorer.score(name="a").json["predictions"][0]["score"] != score
        status = scorer.get("/v1/status").json
        assert status["models"]["resident"] == ["a"]
        assert status["counters"]["b/isolated"]["requests"] >= 5
        assert isolated(scorer)["pid"] != status["pid"]
    frames = FilesEventLog(tmp_path / "eventlog").read("predictions/b")
    logged = {row.prediction_id for _, payload in frames for row in decode(payload).rows}
    assert answer.json["predictions"][0]["id"] in logged


def test_when_its_process_is_killed_others_do_not_notice_and_it_comes_back(tmp_path, packages):
    workspace = Workspace(tmp_path)
    publish(workspace, packages, isolate="process")
    with running("--root", tmp_path) as scorer:
        answered(scorer)
        pid = isolated(scorer)["pid"]
        os.kill(pid, signal.SIGKILL)
        refused = until(lambda: scorer.score(name="b"), lambda answer: answer.status != 200)
        assert (refused.status, refused.code) == (503, "TD-SCORER-013")
        assert refused.headers["retry-after"] == "1"
        assert scorer.score(name="a").status == 200
        answered(scorer)
        assert until(lambda: isolated(scorer), lambda told: told["restarts"] == 1)["pid"] != pid


def test_one_that_takes_more_than_its_memory_is_ended_and_started_with_pauses(tmp_path, packages):
    workspace = Workspace(tmp_path)
    publish(workspace, packages, isolate="process", memory_mb=20)
    with running("--root", tmp_path) as scorer:
        # It may be there only for moments in which nobody looks.
        until(lambda: told_of_b(scorer), lambda told: told.get("restarts", 0) >= 2)
        assert scorer.score(name="b").code == "TD-SCORER-013"
        assert scorer.score(name="a").status == 200
        publish(workspace, packages, isolate="process")
        answered(scorer)


def test_a_deployment_moves_into_a_process_and_back_by_the_plan(tmp_path, packages):
    workspace = Workspace(tmp_path)
    publish(workspace, packages)
    with running("--root", tmp_path) as scorer:
        answered(scorer)
        publish(workspace, packages, isolate="process")
        until(
            lambda: scorer.get("/v1/status").json["models"]["resident"],
            lambda names: names == ["a"],
        )
        answered(scorer)
        pid = isolated(scorer)["pid"]
        publish(workspace, packages)
        until(
            lambda: scorer.get("/v1/status").json["models"]["resident"],
            lambda names: names == ["a", "b"],
        )
        answered(scorer)
        until(lambda: alive(pid), lambda still: not still)


def test_workers_share_one_process_of_an_isolated_model(tmp_path, packages):
    workspace = Workspace(tmp_path)
    publish(workspace, packages, isolate="process")
    with running("--root", tmp_path, "--workers", 2) as scorer:
        answered(scorer)
        pid = isolated(scorer)["pid"]
        for _ in range(20):
            assert scorer.score(name="b").status == 200
            assert isolated(scorer)["pid"] == pid
        supervisor = scorer.get("/v1/status").json["processes"]["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        assert scorer.score(name="b").status == 200
        until(
            lambda: scorer.get("/v1/status").json["processes"]["supervisor"],
            lambda now: now != supervisor,
        )
        assert isolated(scorer)["pid"] == pid
    until(lambda: alive(pid), lambda still: not still)


def test_a_model_that_loops_for_ever_holds_up_nobody_else(tmp_path, packages):
    workspace = Workspace(tmp_path)
    publish(workspace, {"a": packages["a"], "b": looping.package("b")}, isolate="process")
    with running("--root", tmp_path) as scorer:
        until(lambda: scorer.score(looping.CALM, name="b"), lambda answer: answer.status == 200)
        stuck = threading.Thread(
            target=lambda: scorer.connect().request(
                "POST", "/v1/deployments/b/score", b'{"rows": [{"x": 2e6}]}'
            ),
        )
        stuck.start()
        stuck.join()
        time.sleep(0.3)
        for _ in range(50):
            assert scorer.score(name="a").status == 200
        os.kill(isolated(scorer)["pid"], signal.SIGKILL)  # it would not end when asked to


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
