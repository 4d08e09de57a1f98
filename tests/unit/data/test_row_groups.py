"""Rows written a row group at a time have the bytes of one write of all of them."""

import io

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tondo.stages.data.row_groups import ROW_GROUP, write_rows


def rows_of(count):
    random = np.random.default_rng(count)
    words = [None if each == 0 else f"word {each}" for each in random.integers(0, 9, count)]
    return pa.table(
        {
            "double": pa.array(random.normal(size=count), mask=random.random(count) < 0.1),
            "id": random.integers(0, 50, count),
            "string": pa.array(words, pa.string()),
            "at": pa.array(random.integers(0, 10**15, count), pa.timestamp("us", tz="UTC")),
            "list": pa.array(
                [None if each is None else [each, None] for each in words], pa.list_(pa.string())
            ),
        }
    ).replace_schema_metadata({"reader": "some"})


def at_once(table):
    file = io.BytesIO()
    parquet.write_table(
        table.replace_schema_metadata(None).combine_chunks(),
        file,
        compression="zstd",
        row_group_size=ROW_GROUP,
        version="2.6",
    )
    return file.getvalue()


@pytest.mark.parametrize("count", [0, 1, ROW_GROUP - 1, ROW_GROUP, ROW_GROUP + 1, 300_000])
def test_the_bytes_are_those_of_one_write_however_the_rows_are_cut(blobs, count):
    table = rows_of(count)
    expected = at_once(table)
    for width in (7 * ROW_GROUP, ROW_GROUP, 50_001):
        cut = [table.slice(start, width) for start in range(0, max(count, 1), width)]
        written = write_rows([table.slice(0, 0), *cut, table.slice(0, 0)], blobs=blobs)
        assert blobs.get(written.digest) == expected
        assert (written.rows, written.bytes) == (count, len(expected))


def test_an_error_on_the_way_keeps_nothing(blobs):
    def rows():
        yield rows_of(200_000)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        write_rows(rows(), blobs=blobs)
    assert list(blobs.digests()) == []
