"""An execution killed at random moments, run again until it ends: nothing lost, nothing twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pytest

from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.flow.executions import Executions
from tondo.ledger import Ledger

STEPS = 6
UNITS = 40
PIPELINE = f"""
import os, sys, time
from pathlib import Path
from tondo.adapters.blobs.obstore.blobs import ObstoreBlobs
from tondo.adapters.clocks.system import SystemClock
from tondo.core.canonical import digest_bytes
from tondo.flow.executions import Executions
from tondo.ledger import Ledger

root = Path(sys.argv[1])
clock = SystemClock()
blobs = ObstoreBlobs(root / "blobs")
ledger = Ledger.open(f"sqlite:///{{root / 'ledger.db'}}", clock=clock)
executions = Executions(ledger, blobs, clock)


def work(progress, number, before):
    state = progress.resume_state() or {{"done": 0, "digest": ""}}
    for unit in range(state["done"], {UNITS}):
        time.sleep(0.0005)
        state = {{"done": unit + 1, "digest": digest_bytes((state["digest"] + str(unit)).encode())}}
        progress.advance(unit + 1, {UNITS})
        if unit % 5 == 0:
            progress.checkpoint(state)
    return {{"step": number, "output": blobs.put((before + state["digest"]).encode())}}


with executions.run("crash", key="crash") as execution:
    before = ""
    for number in range({STEPS}):
        done = execution.step(
            f"step {{number}}",
            lambda progress, number=number, before=before: work(progress, number, before),
            inputs={{"before": before}},
        )
        before = done["output"]
print(before)
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    return tmp_path


def start(root, place):
    return subprocess.Popen(
        [sys.executable, str(root / "pipeline.py"), str(place)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(root, place):
    said, errors = start(root, place).communicate(timeout=120)
    assert errors == ""
    return said.strip()


def test_an_execution_killed_fifteen_times_ends_with_each_step_once(root):
    (root / "whole").mkdir()
    (root / "killed").mkdir()
    started = time.perf_counter()
    expected = finish(root, root / "whole")
    whole_s = time.perf_counter() - started
    moments = random.Random(7)
    for _ in range(15):
        process = start(root, root / "killed")
        time.sleep(moments.uniform(0.3, 1.1) * whole_s)
        process.kill()
        process.communicate()
    assert finish(root, root / "killed") == expected

    clock = SystemClock()
    blobs = ObstoreBlobs(root / "killed" / "blobs")
    ledger = Ledger.open(f"sqlite:///{root / 'killed' / 'ledger.db'}", clock=clock)
    records = Executions(ledger, blobs, clock).newest(name="crash", limit=None)
    done = [step for record in records for step in record.steps if step.state == "ok"]
    assert sorted(step.name for step in done) == [f"step {number}" for number in range(STEPS)]
    results = [json.loads(ledger.steps.result(step.key)) for step in done]
    assert sorted(blobs.digests()) == sorted(each["output"] for each in results)
    assert records[0].state == "succeeded"
    assert {record.state for record in records} <= {"succeeded", "killed"}
    assert not any(step.state == "running" for record in records for step in record.steps)
    ledger.close()


def test_a_killed_execution_is_taken_over_at_once(root):
    (root / "killed").mkdir()
    process = start(root, root / "killed")
    place = root / "killed" / "ledger.db"
    deadline = time.monotonic() + 30
    while not holds_a_step(place):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    started = time.perf_counter()
    finish(root, root / "killed")
    # The lease of a holder on another machine lasts 30 s; nobody waits for a dead neighbour's.
    assert time.perf_counter() - started < 20


def holds_a_step(place):
    if not place.exists():
        return False
    ledger = Ledger.open(f"sqlite:///{place}", clock=SystemClock())
    try:
        newest = ledger.executions.newest(limit=1)
        return bool(newest) and bool(ledger.steps.of(newest[0].id))
    finally:
        ledger.close()
