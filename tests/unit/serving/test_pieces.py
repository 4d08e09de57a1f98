"""Tables in pieces: no more of a file is held than a piece."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tondo.stages.data.bare_files import open_file
from tondo.stages.serving.batch.pieces import snapshot_tables

ROWS = 3_000_000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pieces") / "numbers.parquet"
    numbers = pa.array(np.random.default_rng(3).normal(size=ROWS))
    parquet.write_table(pa.table({"x": numbers}), path, row_group_size=50_000)
    return path


@pytest.mark.parametrize("kind", ["snapshot", "file"])
def test_a_file_is_never_held_whole(path, kind):
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    tables = (
        snapshot_tables([path], ["x"]) if kind == "snapshot" else open_file(path, {}).pieces(["x"])
    )
    for piece in tables:
        rows += piece.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == ROWS
    assert most < path.stat().st_size / 2
