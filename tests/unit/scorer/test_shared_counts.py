"""The sum over workers, as they come and go: it never falls, and nothing is counted twice."""

import os
import random

import pytest

from tondo.faces.scorer.cells import Cells
from tondo.faces.scorer.pool.counts import SharedCounts

NAME = ("status", "late", "rows", "live", "200")


@pytest.fixture
def counts(tmp_path):
    return SharedCounts(tmp_path)


def worker(folder, number, count, *, alive=False):
    """Leave what a worker has counted; one that is gone has a process id that never was."""
    pid = os.getpid() if alive else 4_194_304 + number
    started = SharedCounts(folder).own_file().name.rpartition(".")[2] if alive else number
    cells = Cells(folder / f"counts.{pid}.{started}")
    cells.block(NAME, 1)[0] += count
    return cells


def test_the_sum_is_over_those_that_run_and_those_that_are_gone(counts, tmp_path):
    worker(tmp_path, 1, 5)
    worker(tmp_path, 2, 7, alive=True)
    assert counts.read() == {NAME: [12]}
    counts.add_gone()
    assert counts.read() == {NAME: [12]}
    assert [path.name for path in tmp_path.glob("counts.*")] == [counts.own_file().name]


def test_those_that_go_later_are_added_too(counts, tmp_path):
    for number in range(20):
        worker(tmp_path, number, number)
        counts.add_gone()
    assert counts.read() == {NAME: [sum(range(20))]}
    assert list(tmp_path.glob("counts.*")) == []


def test_a_supervisor_killed_between_adding_and_removing_adds_nothing_twice(counts, tmp_path):
    worker(tmp_path, 1, 5)
    (path,) = tmp_path.glob("counts.*")
    kept = path.read_bytes()
    counts.add_gone()
    path.write_bytes(kept)
    assert counts.read() == {NAME: [5]}
    counts.add_gone()
    worker(tmp_path, 2, 3)
    counts.add_gone()
    assert counts.read() == {NAME: [8]}


def test_a_reader_never_sees_the_sum_fall(counts, tmp_path):
    """Read after each step of what a supervisor does, in every order that files may vanish."""
    made = random.Random(1)
    last = 0
    for number in range(30):
        worker(tmp_path, number, made.randint(1, 9))
        if made.random() < 0.5:
            counts.add_gone()
        now = counts.read()[NAME][0]
        assert now >= last
        last = now


def test_what_vanishes_while_it_is_read_is_read_again(counts, tmp_path, monkeypatch):
    worker(tmp_path, 1, 5)
    files = SharedCounts._files

    def vanish(self):
        paths = list(files(self))
        monkeypatch.setattr(SharedCounts, "_files", files)
        SharedCounts(tmp_path).add_gone()
        return iter(paths)

    monkeypatch.setattr(SharedCounts, "_files", vanish)
    assert counts.read() == {NAME: [5]}
