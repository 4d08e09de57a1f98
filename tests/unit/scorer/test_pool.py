"""The parts of a pool of processes, without processes: scale, backoff, folder."""

import os

import pytest

from tondo.faces.scorer.pool.backoff import Backoff
from tondo.faces.scorer.pool.members import Member, RunFolder, started_of
from tondo.faces.scorer.pool.scale import IDLE_FOR_S, Scale


def test_workers_are_added_one_by_one_up_to_the_bound():
    scale = Scale(1, 3)
    counts = [scale.decide(float(at), [1.0] * scale.count) for at in range(12)]
    assert counts == [1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3]


def test_a_worker_goes_after_half_a_minute_of_little_to_do():
    scale = Scale(1, 3)
    scale.count = 3
    counts = [scale.decide(float(at), [0.1] * scale.count) for at in range(70)]
    assert counts[int(IDLE_FOR_S) - 1] == 3
    assert counts[int(IDLE_FOR_S)] == 2
    assert counts[-1] == 1


def test_a_load_that_comes_and_goes_changes_nothing():
    scale = Scale(1, 3)
    assert {scale.decide(float(at), [0.9 if at % 2 else 0.5]) for at in range(60)} == {1}


def test_a_steady_run_forgives_what_was_before():
    backoff = Backoff()
    for at in range(5):
        backoff.started(at)
        backoff.ended(at + 0.1)
    assert backoff.waits_s(4.1) == pytest.approx(3.2)
    backoff.started(10.0)
    backoff.ended(100.0)
    assert backoff.may_start(100.0)


def test_the_pause_never_exceeds_half_a_minute():
    backoff = Backoff()
    for _ in range(40):
        backoff.started(0.0)
        backoff.ended(0.1)
    assert backoff.waits_s(0.1) == 30.0


def test_members_that_ended_are_forgotten(tmp_path):
    run = RunFolder(tmp_path)
    mine = run.enter("worker", ready=True)
    gone = Member(kind="worker", name="worker", pid=os.getpid(), started=1)
    (tmp_path / "worker.1.json").write_bytes(__import__("msgspec").json.encode(gone))
    (tmp_path / "worker.2.json").write_bytes(b"half wri")
    assert run.members("worker") == [mine]
    assert not (tmp_path / "worker.1.json").exists()
    assert mine.started == started_of(os.getpid()) > 0
    run.leave("worker")
    assert run.members("worker") == []


def test_socket_paths_are_short_and_differ(tmp_path):
    run = RunFolder(tmp_path)
    names = ["a", "b", "x" * 500, "\u00fc/../.."]
    paths = {run.socket_of(name) for name in names}
    assert len(paths) == len(names)
    assert all(path.parent == tmp_path and len(path.name) < 20 for path in paths)
