"""The demo is killed at random moments; told again, it finishes, and nothing happened twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys

import pytest

ROUNDS = int(os.environ.get("TONDO_KILL_ROUNDS", "20"))
MOST_S = 18.0
"""Later than the first model is live on any machine, so that kills fall into the year too."""


def start(folder, out):
    command = [sys.executable, "-m", "tondo.faces.cli", "demo", "--dir", str(folder), "--exit"]
    with told(out).open("wb") as log:
        return subprocess.Popen(
            [*command, "--json", str(out)],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def told(out):
    return out.with_suffix(".log")


@pytest.mark.long
def test_the_demo_killed_twenty_times_finishes_and_nothing_is_there_twice(tmp_path, capsys):
    folder, out = tmp_path / "demo", tmp_path / "out.json"
    dice = random.Random(20130401)
    for _ in range(ROUNDS):
        process = start(folder, out)
        try:
            process.wait(dice.uniform(0.5, MOST_S))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        else:
            assert process.returncode == 0, told(out).read_text()
    process = start(folder, out)
    process.wait(900)
    said = told(out).read_text()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    summary = json.loads(out.read_text())
    with capsys.disabled():
        print(f"\n{ROUNDS} kills; {summary['total_seconds']} s for the last telling")
    check_nothing_twice(folder, summary)


def check_nothing_twice(folder, summary):
    import pyarrow.compute as pc

    import tondo

    with tondo.open(folder) as workspace:
        parts = workspace.parts
        logged = parts.predictions("late_arrival")
        assert [each.closed for each in parts.eventlog.segments(logged.stream)].count(False) == 0
        from tondo.stages.monitoring.predictions import read_predictions

        live = read_predictions(logged, columns=("prediction_id",)).column("prediction_id")
        assert len(live) == pc.count_distinct(live).as_py() == 255_987
        numbers = [each.number for each in workspace.registry.versions("late_arrival")]
        assert numbers == list(range(len(numbers), 0, -1))
        snapshots = workspace.data.sql(
            "select count(*) as rows, count(distinct flight_id) as ids from departures"
        )[0]
        assert snapshots["rows"] == snapshots["ids"]
    months = summary["months"]
    assert [each["month"] for each in months] == [f"2013-{month:02d}" for month in range(4, 13)]
    assert sum(each["rows"] for each in months) == 255_987
    assert all(each["coverage"] >= 0.95 for each in months)
    assert summary["consistency"] == {"rows": 10_000, "equal_rows": 10_000}
