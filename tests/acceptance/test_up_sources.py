"""`tondo up` over sources that are no local files: objects and databases, read when they changed."""

import contextlib
import csv
import sqlite3
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import PROJECT, write_shop, write_visits
from tondo.flow.steps import step_record
from tondo.stages.data import sources
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.pipelines.up import up


@pytest.fixture
def reads(monkeypatch):
    """The files that were truly read."""
    seen = []
    real = sources._read_file

    def read(path, definition):
        seen.append(path.name)
        return real(path, definition)

    monkeypatch.setattr(sources, "_read_file", read)
    return seen


def bring_up(folder):
    """Return the snapshot after `tondo up`, and which steps were computed."""
    with open_workspace(folder) as shop:
        raised = up(shop.parts, by="ana", why="test")
        steps = shop.parts.ledger.steps.of(raised.execution)
        worked = {each.name for each in map(step_record, steps) if not each.reused}
        return shop.data.snapshot("visits"), worked


def pointed(folder, address):
    write_shop(folder)
    (folder / "shop0.yaml").write_text(PROJECT.replace("path: visits.csv", address))


def test_objects_are_read_again_only_when_they_changed(tmp_path, reads):
    store = tmp_path / "store"
    store.mkdir()
    write_visits(store / "1.csv")
    pointed(tmp_path / "shop", f"path: file://{store}/*.csv")
    first, _ = bring_up(tmp_path / "shop")
    again, worked = bring_up(tmp_path / "shop")
    assert (again.id, reads, worked) == (first.id, ["1.csv"], set())
    write_visits(store / "1.csv", rows=1300)
    other, worked = bring_up(tmp_path / "shop")
    assert (other.rows, reads) == (1300, ["1.csv", "1.csv"])
    assert {"read visits", "check visits"} <= worked


def fill(database, visits):
    with visits.open() as file, contextlib.closing(sqlite3.connect(database)) as found:
        head, *rows = csv.reader(file)
        found.execute("drop table if exists visits")
        found.execute(f"create table visits ({', '.join(head)})")
        rows = [
            [each == "true" if each in {"true", "false"} else each for each in row] for row in rows
        ]
        rows = [[*row[:3], float(row[3]), float(row[4]), *row[5:]] for row in rows]
        found.executemany(f"insert into visits values ({', '.join('?' * len(head))})", rows)
        found.commit()


def test_a_database_is_always_read_and_the_same_rows_end_there(tmp_path):
    folder = tmp_path / "shop"
    pointed(folder, "url: sqlite:///shop.db\ntable: visits")
    fill(folder / "shop.db", folder / "visits.csv")
    first, _ = bring_up(folder)
    again, worked = bring_up(folder)
    assert (again.id, worked) == (first.id, {"read visits"})
    write_visits(folder / "visits.csv", rows=1300)
    fill(folder / "shop.db", folder / "visits.csv")
    other, worked = bring_up(folder)
    assert other.rows == 1300
    assert {"read visits", "check visits"} <= worked
