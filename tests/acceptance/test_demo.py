"""The demo's figures, held against a plain script on the same flights."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
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
