"""A spine is cut into pieces that hold each row once, in order, and are as large as they may be."""

import pyarrow as pa
import pytest
from pyarrow import parquet

from tondo.ports.engine import FileTable
from tondo.stages.features.spine_pieces import pieces_of, rows_at_once

COLUMNS = {"n": "id", "text": "string"}


def table_of(rows, start=0, text="a"):
    numbers = list(range(start, start + rows))
    return pa.table({"n": pa.array(numbers, pa.int64()), "text": [text] * rows})


@pytest.fixture
def files(tmp_path):
    def made(*sizes):
        paths, start = [], 0
        for size in sizes:
            paths.append(tmp_path / f"{len(paths)}.parquet")
            # The order of the columns in a file is not that of the table.
            turned = table_of(size, start).select(["text", "n"])
            parquet.write_table(turned, paths[-1], row_group_size=7)
            start += size
        return FileTable(paths=tuple(paths), columns=COLUMNS)

    return made


def numbers_of(piece):
    if isinstance(piece.table, FileTable):
        return [n for path in piece.table.paths for n in parquet.read_table(path)["n"].to_pylist()]
    assert piece.table.column_names == list(COLUMNS)
    return piece.table["n"].to_pylist()


def test_a_table_in_memory_is_sliced():
    cut = [numbers_of(piece) for piece in pieces_of(table_of(5), 2)]
    assert cut == [[0, 1], [2, 3], [4]]


def test_a_table_without_rows_is_one_piece(files):
    assert [piece.table.num_rows for piece in pieces_of(table_of(0), 3)] == [0]
    assert [piece.paths for piece in pieces_of(files(), 3)] == [()]


def test_files_that_fit_stay_together_and_are_not_read(files):
    table = files(2, 3, 4, 1)
    cut = list(pieces_of(table, 5))
    assert [piece.paths for piece in cut] == [table.paths[:2], table.paths[2:]]
    assert all(isinstance(piece.table, FileTable) for piece in cut)


def test_a_larger_file_is_cut_between_others(files):
    table = files(2, 25, 0, 3)
    cut = list(pieces_of(table, 10))
    assert [len(numbers_of(piece)) for piece in cut] == [2, 10, 10, 5, 3]
    assert [n for piece in cut for n in numbers_of(piece)] == list(range(30))
    assert [piece.paths for piece in cut[:3]] == [table.paths[:1], *[table.paths[1:2]] * 2]


def test_long_texts_of_the_spine_make_pieces_shorter(files):
    types = {**COLUMNS, "feature": "double"}
    short = rows_at_once(table_of(100), types, 100_000)
    assert rows_at_once(table_of(100, text="x" * 1000), types, 100_000) < short / 30
    assert rows_at_once(files(100), types, 100_000) == short


def test_a_piece_has_at_least_one_row():
    assert rows_at_once(table_of(3), COLUMNS, 1) == 1
