"""kill -9 of a batch: what was there stays until all of the new is there."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import ROW, bring_live, write_shop
from tondo.workspace.bootstrap import open_workspace

BATCH = Path(__file__).parent / "mortal_batch.py"


@pytest.fixture(scope="module")
def _live(tmp_path_factory):
    folder = write_shop(tmp_path_factory.mktemp("batch") / "shop", rows=600)
    bring_live(folder)
    return folder


@pytest.fixture
def live(_live, tmp_path):
    return shutil.copytree(_live, tmp_path / "shop")


def write_table(path, pages):
    parquet.write_table(pa.Table.from_pylist([{**ROW, "pages": float(pages)}] * 450), path)
    return path


def scores(shop):
    paths = shop.data.table("buys_scored").paths
    return [score for path in paths for score in parquet.read_table(path)["score"].to_pylist()]


def in_database(path):
    with sqlite3.connect(path) as database:
        return [each[0] for each in database.execute("select score from answers order by row")]


@pytest.mark.parametrize(("point", "count"), [("files", 3), ("commit", 0), ("sql", 0)])
def test_a_killed_run_leaves_the_last_one_and_the_next_replaces_it(live, tmp_path, point, count):
    sql = f"sqlite:///{tmp_path / 'scores.db'}#answers"
    old, new = (write_table(tmp_path / f"{each}.parquet", each) for each in (1, 12))
    named = {"batch": "b", "as_of": "2026-02-01T00:00:00Z", "sql": sql}
    with open_workspace(live) as shop:
        shop.scoring.run("buys", file=str(old), **named)
        before = scores(shop)
    ended = subprocess.run(
        [sys.executable, str(BATCH), str(live), str(new), sql, point, str(count)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -9, ended.stderr
    assert in_database(tmp_path / "scores.db") == before
    with open_workspace(live) as shop:
        assert (scores(shop) == before) == (point != "sql")
        shop.scoring.run("buys", file=str(new), **named)
        after = scores(shop)
    assert len(after) == len(before) == 450
    assert set(after) != set(before)
    assert in_database(tmp_path / "scores.db") == after
