"""The demo's figures, held against a plain script on the same flights."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
import time
from urllib.request import urlopen

import pytest

from tondo.workspace.bootstrap import open_workspace

# LightGBM, 200 trees of 31 leaves, trained once on January to March: schedule, weather known two
# hours ahead, delays landed in the three hours before. AUC from April to December.
LEFT_ALONE = [0.703, 0.734, 0.723, 0.714, 0.699, 0.666, 0.680, 0.681, 0.705]


def run_demo(folder, out):
    command = [sys.executable, "-m", "tondo.faces.cli", "demo", "--dir", str(folder), "--exit"]
    command += ["--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(folder):
    first = run_demo(folder / "flights", folder / "first.json")
    again = run_demo(folder / "flights", folder / "again.json")
    return first, again


@pytest.mark.long
def test_every_flight_of_nine_months_is_scored(told):
    months = told[0]["months"]
    assert [each["month"] for each in months] == [f"2013-{month:02d}" for month in range(4, 13)]
    assert sum(each["rows"] for each in months) == 255_987
    assert all(each["coverage"] >= 0.95 for each in months)


@pytest.mark.long
def test_the_left_alone_model_is_what_a_plain_script_finds(told):
    found = [each["static_auc"] for each in told[0]["months"]]
    assert found == pytest.approx(LEFT_ALONE, abs=0.02)


@pytest.mark.long
def test_retraining_is_worth_what_is_claimed(told):
    months = told[0]["months"]
    live = sum(each["live_auc"] for each in months) / len(months)
    alone = sum(each["static_auc"] for each in months) / len(months)
    assert live >= alone + 0.015


@pytest.mark.long
def test_logged_vectors_equal_those_built_afterwards(told):
    assert told[0]["consistency"] == {"rows": 10_000, "equal_rows": 10_000}


@pytest.mark.long
def test_the_summary_has_what_was_promised(told):
    summary = told[0]
    assert summary["total_seconds"] > 0
    assert {"web", "scorer"} <= set(summary["addresses"])
    assert all({"name", "seconds", "ok", "reused"} <= set(each) for each in summary["steps"])
    assert any("live" in each["tags"] for each in summary["models"])
    kinds = {each["kind"] for each in summary["prediction"]["lineage"]}
    assert {"model_version", "run", "training_set", "snapshot", "commit", "rows"} <= kinds


@pytest.mark.long
def test_told_again_every_step_is_reused(told, capsys):
    first, again = told
    with capsys.disabled():
        print(f"\nthe round: {first['total_seconds']} s, told again {again['total_seconds']} s")
    assert all(each["reused"] for each in again["steps"])
    assert again["months"] == first["months"]
    assert again["prediction"] == first["prediction"]


@contextlib.contextmanager
def staying_demo(project):
    """The demo told again, which stays up: the words of its line that asks the scorer."""
    command = [sys.executable, "-m", "tondo.faces.cli", "demo", "--dir", str(project)]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = next(each for each in demo.stdout if "ask it:" in each)
        yield shlex.split(line.partition("curl")[2])
    finally:
        demo.terminate()
        demo.wait(60)


@pytest.mark.long
def test_after_its_year_a_rollout_is_judged_like_beside_any_server(told, folder):
    project = folder / "flights"
    with staying_demo(project) as (_, address, _, body), open_workspace(project) as flights:
        live = flights.live.deployment("late_arrival").status.current
        before = str(live - 1)
        flights.rollouts.start("late_arrival", before, no_shadow=True, why="to see one")
        for _ in range(400):
            # One and the same row: each version has one score for it, and they differ.
            # The first hundred of both arms tell where scores lie, the others are compared.
            assert urlopen(address, body.encode(), timeout=30).read()
        deadline = time.monotonic() + 120
        while flights.rollouts.status("late_arrival").phase == "running":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert "score_shift" in flights.rollouts.status("late_arrival").reason
        assert flights.rollouts.status("late_arrival").current == live
